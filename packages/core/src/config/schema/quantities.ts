import * as z from "zod";
import type { Problem } from "../problems.ts";
import { noted, refuse } from "./notes.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * A number or text with a meaning of its own. `number` and `text` are what an editor is told of each; `parse` returns
 * undefined for what it does not understand.
 */
function quantity(options: {
  expected: string;
  number: Json;
  text: Json;
  parse(text: string, context: z.core.$RefinementCtx): number | undefined;
}) {
  return noted(
    z
      .union([z.number().meta(options.number), z.string().meta(options.text)])
      .transform((value, context): number => options.parse(String(value).trim(), context) ?? refuse(context)),
    { expected: options.expected },
  );
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** In milliseconds: `1` is a second; `500ms`, `2m`, `1h30m`. */
export const duration = quantity({
  expected: "a number of seconds, or a duration such as 500ms, 2m or 1h30m",
  number: { minimum: 0 },
  text: { pattern: "^(\\d+(\\.\\d+)?|(\\d+(\\.\\d+)?(ms|s|m|h|d))+)$" },
  parse: parseDuration,
});

export function parseDuration(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    // The pattern lets only these units through.
    total += Number(amount) * unitMs[unit as keyof typeof unitMs];
  }
  return Math.round(total);
}

/** In thousandths of a core. */
export const cpu = quantity({
  expected: "cores (1, 0.5) or thousandths of one (500m)",
  number: { exclusiveMinimum: 0 },
  text: { pattern: "^\\d+(\\.\\d+)?m?$" },
  parse(text, context) {
    const [, amount, milli] = /^(\d+(?:\.\d+)?)(m?)$/.exec(text) ?? [];
    if (amount === undefined) return undefined;
    const millis = milli === "m" ? Number(amount) : Number(amount) * 1000;
    return millis < 1
      ? refuse(context, wrong("less than 1m (a thousandth of a core) is no limit that a platform can keep"))
      : Math.round(millis);
  },
});

const unitBytes: Readonly<Record<string, number>> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  "": 1,
};

/** In mebibytes, rounded down: `256Mi`, `1Gi`, `512M` (millions of bytes), or bytes without a unit. */
export const memory = quantity({
  expected: "an amount such as 256Mi, 1Gi, 512M or 1G",
  number: { type: "integer", minimum: 1048576 },
  text: { pattern: "^\\d+(\\.\\d+)?(Ki|Mi|Gi|Ti|k|K|M|G|T)?$" },
  parse(text, context) {
    const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
    if (amount === undefined) return undefined;
    const bytes = unitBytes[unit];
    if (bytes === undefined) {
      const near = /^([mgkt])i?b?$/i.exec(unit)?.[1]?.toUpperCase();
      return refuse(
        context,
        wrong(`the unit ${unit} is not known`, near === undefined ? undefined : `Write ${amount}${near}i.`),
      );
    }
    const mebibytes = Math.floor((Number(amount) * bytes) / 2 ** 20);
    if (mebibytes >= 1) return mebibytes;
    return unit === ""
      ? refuse(context, wrong(`${amount} without a unit is ${amount} bytes, less than 1Mi`, `Write ${amount}Mi.`))
      : refuse(context, wrong("less than 1Mi is no useful amount"));
  },
});

export const percent = noted(
  z
    .string()
    .meta({ pattern: "^\\d+%$" })
    .transform((text, context): number => {
      const share = Number(/^(\d+)%$/.exec(text.trim())?.[1]);
      return share >= 1 && share <= 100 ? share : refuse(context);
    }),
  { expected: "a share such as 25%" },
);

function wrong(summary: string, hint?: string): Problem {
  return { code: "wrong-value", summary, hint };
}
