import { CtrlPlaneError } from "../errors/error.ts";

/** Throws `CONFLICT` unless what is stored is what the writer saw, `INTERNAL` unless it gives it a higher serial. */
export function checkSerial(
  stack: string,
  stored: number | undefined,
  expected: number | undefined,
  next: number,
): void {
  if (stored !== expected) {
    const what = stored === undefined ? "was removed" : `was written by another run (serial ${stored})`;
    throw new CtrlPlaneError("CONFLICT", `the state of ${stack} ${what} since it was read`, {
      target: stack,
      hint: "Run the command again.",
    });
  }
  if (next <= (expected ?? 0))
    throw new CtrlPlaneError("INTERNAL", `the serial of ${stack} would not rise: ${next} after ${expected}`);
}
