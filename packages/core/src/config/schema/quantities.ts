import { Refusal, scalar } from "./shape.ts";
import type { Shape } from "./shape.ts";

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** In milliseconds: `1` is a second; `500ms`, `2m`, `1h30m`. */
export const duration: Shape<number> = scalar<number>({
  expected: "a number of seconds, or a duration such as 500ms, 2m or 1h30m",
  json: {
    anyOf: [
      { type: "number", minimum: 0 },
      { type: "string", pattern: "^(\\d+(\\.\\d+)?|(\\d+(\\.\\d+)?(ms|s|m|h|d))+)$" },
    ],
  },
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
export const cpu: Shape<number> = scalar<number>({
  expected: "cores (1, 0.5) or thousandths of one (500m)",
  json: {
    anyOf: [
      { type: "number", exclusiveMinimum: 0 },
      { type: "string", pattern: "^\\d+(\\.\\d+)?m?$" },
    ],
  },
  parse(text) {
    const [, amount, milli] = /^(\d+(?:\.\d+)?)(m?)$/.exec(text) ?? [];
    if (amount === undefined) return undefined;
    const millis = milli === "m" ? Number(amount) : Number(amount) * 1000;
    return millis < 1
      ? new Refusal("less than 1m (a thousandth of a core) is no limit that a platform can keep")
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
export const memory: Shape<number> = scalar<number>({
  expected: "an amount such as 256Mi, 1Gi, 512M or 1G",
  json: {
    anyOf: [
      { type: "integer", minimum: 1048576 },
      { type: "string", pattern: "^\\d+(\\.\\d+)?(Ki|Mi|Gi|Ti|k|K|M|G|T)?$" },
    ],
  },
  parse(text) {
    const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
    if (amount === undefined) return undefined;
    const bytes = unitBytes[unit];
    if (bytes === undefined) {
      const near = /^([mgkt])i?b?$/i.exec(unit)?.[1]?.toUpperCase();
      return new Refusal(`the unit ${unit} is not known`, near === undefined ? undefined : `Write ${amount}${near}i.`);
    }
    const mebibytes = Math.floor((Number(amount) * bytes) / 2 ** 20);
    if (mebibytes >= 1) return mebibytes;
    return unit === ""
      ? new Refusal(`${amount} without a unit is ${amount} bytes, less than 1Mi`, `Write ${amount}Mi.`)
      : new Refusal("less than 1Mi is no useful amount");
  },
});

export const percent: Shape<number> = scalar<number>({
  expected: "a share such as 25%",
  json: { type: "string", pattern: "^\\d+%$" },
  parse(text, kind) {
    if (kind === "number") return undefined;
    const share = /^(\d+)%$/.exec(text)?.[1];
    return share === undefined || Number(share) < 1 || Number(share) > 100 ? undefined : Number(share);
  },
});
