/** Items of several iterables as they come. The first failure ends all; leaving early ends all. */
export async function* merge<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T, void, void> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  const pull = async (index: number): Promise<{ index: number; result: IteratorResult<T> | undefined }> => ({
    index,
    result: await iterators[index]?.next(),
  });
  const pending = new Map(iterators.map((_, index) => [index, pull(index)]));
  try {
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values());
      if (result === undefined || result.done === true) {
        pending.delete(index);
        continue;
      }
      pending.set(index, pull(index));
      yield result.value;
    }
  } finally {
    await Promise.allSettled(
      [...pending.keys()].map(async (index) => {
        await iterators[index]?.return?.();
      }),
    );
  }
}
