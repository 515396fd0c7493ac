import { rootHelpText } from "./root-help.ts";

const words = process.argv.slice(2);
const [first] = words;

if (words.length <= 1 && (first === undefined || first === "--help" || first === "-h" || first === "help")) {
  process.stdout.write(rootHelpText);
} else {
  const { runCommandLine } = await import("./command-line.ts");
  const code = await runCommandLine(words);
  // What a command left open (a pipe that nobody closes, a socket kept alive) must not keep a finished command waiting.
  process.stdout.write("", () => process.exit(code));
}
