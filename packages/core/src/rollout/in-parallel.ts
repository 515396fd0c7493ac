import pLimit from "p-limit";
import type { ProviderContext } from "../provider/context.ts";
import { withSignal } from "./with-signal.ts";

/**
 * Does `work` for each item, at most `limit` at a time. The first failure aborts the others, is waited for to have ended them,
 * and is thrown: nothing goes on in the background.
 */
export async function inParallel<Item>(
  items: readonly Item[],
  limit: number,
  context: ProviderContext,
  work: (item: Item, context: ProviderContext) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const within = withSignal(context, failed.signal);
  const queue = pLimit(limit);
  await Promise.all(
    items.map((item) =>
      queue(async () => {
        if (failed.signal.aborted) return;
        // The first reason stays: later ones, and what the abort itself causes, are consequences.
        await work(item, within).catch((error: unknown) => failed.abort(error));
      }),
    ),
  );
  if (failed.signal.aborted) throw failed.signal.reason;
}
