/** What was thrown, as an error: what is none becomes the message of one. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

/** Why a signal was aborted. */
export function reasonOf(signal: AbortSignal | undefined): Error {
  return asError(signal?.reason);
}
