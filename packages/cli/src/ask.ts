import { createInterface } from "node:readline/promises";

/** A question on the terminal; undefined when it was left open by Ctrl-D or Ctrl-C. */
async function ask(question: string): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<undefined>((resolve) => terminal.once("close", () => resolve(undefined)));
  try {
    const answer = await Promise.race([terminal.question(question), closed]);
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
