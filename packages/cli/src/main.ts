import { writeSync } from "node:fs";
import { rootHelpText } from "./root-help.ts";

const words = process.argv.slice(2);
const [first] = words;

if (words.length <= 1 && (first === undefined || first === "--help" || first === "-h" || first === "help")) {
  print(rootHelpText);
} else {
  const { runCommandLine } = await import("./command-line.ts");
  const code = await runCommandLine(words);
  // What a command left open (a pipe that nobody closes, a socket kept alive) must not keep a finished command waiting.
  process.stdout.write("", () => process.exit(code));
}

/** Past `process.stdout`, whose making takes longer than all the rest of showing help. */
function print(text: string): void {
  const bytes = Buffer.from(text);
  let written: number;
  try {
    written = writeSync(1, bytes);
  } catch {
    // A reader that is slow, or gone: the stream below deals with either.
    written = 0;
  }
  if (written < bytes.length) process.stdout.write(bytes.subarray(written));
}
