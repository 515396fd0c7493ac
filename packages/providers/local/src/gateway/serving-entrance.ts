import type { EntranceRoutes } from "./entrance-routes.ts";

/** What a request or connection knows of the entrance that it came in by. */
export interface ServingEntrance {
  readonly routes: EntranceRoutes;
  requests: number;
  refused: number;
  /** The entrance is gone from the table: clients are asked to leave with their next answer. */
  readonly isClosing: boolean;
}

/** How long a request or connection waits for a replica that can be asked, and how often it looks. */
const holdMs = 1000;
const lookAgainMs = 20;

/** Calls `again` in a moment; undefined where the time that began at `startedAt` (`performance.now()`) is over. */
export function hold(startedAt: number, again: () => void): NodeJS.Timeout | undefined {
  return performance.now() - startedAt < holdMs ? setTimeout(again, lookAgainMs) : undefined;
}
