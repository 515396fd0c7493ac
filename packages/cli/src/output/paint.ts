import { styleText } from "node:util";

/** What a text is, not how it looks: without colours it stays as it is. */
export type Tone = "good" | "bad" | "warn" | "change" | "dim" | "strong";

export type Paint = (tone: Tone, text: string) => string;

const formats = { good: "green", bad: "red", warn: "yellow", change: "cyan", dim: "dim", strong: "bold" } as const;

export const plain: Paint = (_tone, text) => text;

// The stream was asked before; here colours are wanted.
export const coloured: Paint = (tone, text) => styleText(formats[tone], text, { validateStream: false });

/** Colours only where a person sees them: on a terminal, without `--no-color` and without NO_COLOR. */
export function wantsColour(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
  noColour: boolean,
): boolean {
  if (noColour || (env["NO_COLOR"] ?? "") !== "") return false;
  if ((env["FORCE_COLOR"] ?? "") !== "") return env["FORCE_COLOR"] !== "0";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}
