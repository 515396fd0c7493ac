import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";

/** Written by itself a line of a secret counts from this length on: a shorter one is no secret any more. */
const shortestLine = 8;

/** Looks for secrets however they are written. It shares no code with what masks them. */
export class SecretScan {
  /** Each form, as the bytes of a file show it, with its name: `TOKEN as json`. */
  readonly #needles: readonly { readonly bytes: Buffer; readonly name: string }[];

  constructor(secrets: Readonly<Record<string, string>>) {
    this.#needles = Object.entries(secrets).flatMap(([name, secret]) => {
      const lines = secret.split(/\r?\n/).filter((line) => line.length >= shortestLine);
      return [...new Set([secret, ...lines])].flatMap((text) =>
        Object.entries(formsOf(text)).map(([form, written]) => ({
          bytes: Buffer.from(written),
          name: `${name} as ${form}`,
        })),
      );
    });
  }

  /** Names of the secrets in a text or a file's bytes, compressed records of ours unfolded; empty where there is none. */
  find(content: string | Buffer): string[] {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const found = this.#needles.filter((needle) => bytes.includes(needle.bytes)).map(({ name }) => name);
    return [...new Set([...found, ...unfold(bytes).flatMap((inner) => this.find(inner))])];
  }

  /** `path: TOKEN as json` for every file below a folder, those apart that `isMeant` to hold secrets. */
  findBelow(folder: string, isMeant: (path: string) => boolean): string[] {
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).flatMap((path) => {
      const file = join(folder, path);
      // What goes while this looks, and sockets, have nothing to read.
      if (isMeant(path) || statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return [];
      return [...this.find(path), ...this.find(readFileSync(file))].map((what) => `${path}: ${what}`);
    });
  }
}

function formsOf(text: string): Record<string, string> {
  const json = JSON.stringify(text).slice(1, -1);
  const url = encodeURIComponent(text);
  return {
    plain: text,
    json,
    "json in json": JSON.stringify(json).slice(1, -1),
    "ascii json": json.replace(/[^\u0020-\u007e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
    url,
    "url, letters small": url.replace(/%../g, (byte) => byte.toLowerCase()),
    form: new URLSearchParams({ "": text }).toString().slice(1),
    hex: Buffer.from(text).toString("hex"),
    ...base64Forms(text),
  };
}

/** Alone and behind one or two other bytes; of these only what no neighbour's bits are in. */
function base64Forms(text: string): Record<string, string> {
  const forms: Record<string, string> = {};
  for (const before of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    const whole = bytes.toString("base64").slice(before === 0 ? 0 : before + 1, Math.floor((bytes.length * 4) / 3));
    forms[`base64 behind ${before}`] = whole;
    forms[`base64url behind ${before}`] = whole.replaceAll("+", "-").replaceAll("/", "_");
  }
  return forms;
}

/** Long records of the ledger are deflated, in base64 behind `z1:`. */
function unfold(bytes: Buffer): Buffer[] {
  const text = bytes.includes("z1:") ? bytes.toString("latin1") : "";
  return [...text.matchAll(/z1:([A-Za-z0-9+/]+=*)/g)].flatMap(([, packed = ""]) => {
    try {
      return [inflateRawSync(Buffer.from(packed, "base64"))];
    } catch (error) {
      // The mark by chance, in a file that is none of our records.
      if (error instanceof Error && "code" in error && String(error.code).startsWith("Z_")) return [];
      throw error;
    }
  });
}
