import { runCommandLine } from "./command-line.ts";

const code = await runCommandLine(process.argv.slice(2));
// What a command left open (a pipe that nobody closes, a socket kept alive) must not keep a finished command waiting.
process.stdout.write("", () => process.exit(code));
