type Arrival<T> =
  { readonly iterator: AsyncIterator<T>; readonly result: IteratorResult<T, unknown> } | { readonly error: unknown };

/** Items of several iterables as they come. The first failure ends all; leaving early ends all. */
export async function* merge<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T, void, void> {
  const open = new Set(sources.map((source) => source[Symbol.asyncIterator]()));
  // A race over all of them would leave something behind at the quiet ones with each item of the others.
  const arrivals: Arrival<T>[] = [];
  let wake = (): void => undefined;
  const arrive = (arrival: Arrival<T>): void => {
    arrivals.push(arrival);
    wake();
  };
  const pull = (iterator: AsyncIterator<T>): void => {
    iterator.next().then(
      (result) => arrive({ iterator, result }),
      (error: unknown) => arrive({ error }),
    );
  };
  for (const each of open) pull(each);
  try {
    while (open.size > 0) {
      const arrival = arrivals.shift();
      if (arrival === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      if ("error" in arrival) throw arrival.error;
      const { iterator, result } = arrival;
      if (result.done === true) {
        open.delete(iterator);
        continue;
      }
      pull(iterator);
      yield result.value;
    }
  } finally {
    await Promise.allSettled([...open].map(async (each) => each.return?.()));
  }
}
