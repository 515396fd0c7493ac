export const mask = "••••••";

/** Knows secret values and takes them out of texts: plain, and as JSON, URL and base64 would write them. */
export interface Redactor {
  /** Values shorter than 4 characters are not looked for in texts: they would mask everything. */
  add(value: string): void;
  redact(text: string): string;
}

const shortest = 4;
/** A line of a key or certificate is looked for by itself, because logs come line by line; shorter ones say nothing. */
const shortestLine = 8;

/** Masks every stretch of a text that belongs to a known value. Its cost grows with the text, not with the number of values. */
export function createRedactor(): Redactor {
  const known = new Set<string>();
  /** Needles by their first four characters, longest first. */
  const needles = new Map<string, string[]>();
  const firstCodes = new Uint8Array(0x10000);

  const addNeedle = (needle: string): void => {
    if (needle.length < shortest) return;
    const start = needle.slice(0, shortest);
    const same = needles.get(start) ?? [];
    if (same.includes(needle)) return;
    same.push(needle);
    same.sort((a, b) => b.length - a.length);
    needles.set(start, same);
    firstCodes[needle.charCodeAt(0)] = 1;
  };

  return {
    add(value) {
      if (value.length < shortest || known.has(value)) return;
      known.add(value);
      for (const form of formsOf(value)) addNeedle(form);
      const lines = value.split(/\r?\n/);
      if (lines.length < 2) return;
      for (const line of lines)
        if (line.length >= shortestLine && !line.startsWith("-----")) formsOf(line).forEach(addNeedle);
    },
    redact(text) {
      if (needles.size === 0) return text;
      let [result, copied, maskedTo] = ["", 0, -1];
      // Every position is looked at, also inside a match: values may overlap, and all of each is masked.
      for (let at = 0; at <= text.length - shortest; at++) {
        if (firstCodes[text.charCodeAt(at)] !== 1) continue;
        const needle = needles.get(text.slice(at, at + shortest))?.find((each) => text.startsWith(each, at));
        if (needle === undefined) continue;
        const end = at + needle.length;
        if (at > maskedTo) {
          if (maskedTo >= 0) result += mask;
          result += text.slice(copied, at);
        }
        maskedTo = Math.max(maskedTo, end);
        copied = maskedTo;
      }
      return maskedTo < 0 ? text : result + mask + text.slice(copied);
    },
  };
}

function formsOf(value: string): Set<string> {
  const url = encodeUrl(value);
  return new Set([
    value,
    JSON.stringify(value).slice(1, -1),
    asciiJson(value),
    url,
    url.replaceAll("%20", "+"),
    ...base64Forms(value),
  ]);
}

/** A lone half of a surrogate pair cannot be written in a URL; such a value has no URL form. */
function encodeUrl(value: string): string {
  return value.isWellFormed() ? encodeURIComponent(value) : value;
}

function asciiJson(value: string): string {
  return JSON.stringify(value)
    .slice(1, -1)
    .replace(/[\u0080-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Alone, and as part of something longer (`user:password` of basic authentication): then it may begin at any of three bits. */
function base64Forms(value: string): string[] {
  const forms: string[] = [];
  for (const before of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
    const whole = bytes.toString("base64");
    // Characters that also carry bits of a neighbour differ from text to text.
    const from = before === 0 ? 0 : before + 1;
    const to = Math.floor((bytes.length * 8) / 6);
    const stable = whole.slice(from, to);
    if (stable.length < shortestLine && before > 0) continue;
    forms.push(stable, stable.replaceAll("+", "-").replaceAll("/", "_"));
    if (before === 0) forms.push(whole);
  }
  return forms.filter((form) => form.length >= shortest);
}
