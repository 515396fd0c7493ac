import { createInterface } from "node:readline/promises";
import { CtrlPlaneError } from "@ctrlplane/core";

/** A question on the terminal; undefined when it was left open by Ctrl-D. Throws `CANCELLED` at Ctrl-C. */
async function ask(question: string): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const left = Promise.withResolvers<undefined>();
  // The terminal is read key by key here: Ctrl-C is one of them, and no signal.
  terminal.once("SIGINT", () => {
    process.stderr.write("\n");
    left.reject(new CtrlPlaneError("CANCELLED", "interrupted at a question"));
  });
  terminal.once("close", () => left.resolve(undefined));
  try {
    const answer = await Promise.race([terminal.question(question), left.promise]);
    return answer?.trim();
  } finally {
    terminal.close();
  }
}

/** Yes or no; anything but `y` or `yes` is no. */
export async function confirm(question: string): Promise<boolean> {
  const answer = (await ask(`${question} [y/N] `))?.toLowerCase();
  return answer === "y" || answer === "yes";
}

/** True where exactly this name was typed. */
export async function confirmByName(question: string, name: string): Promise<boolean> {
  return (await ask(`${question} Type ${name} to remove it, Enter to keep it: `)) === name;
}
