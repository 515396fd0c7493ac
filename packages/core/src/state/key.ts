import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CtrlPlaneError } from "../errors/error.ts";
import type { Sealer } from "../provider/context.ts";
import { fileError, systemCode } from "./file-error.ts";
import { createSealer, keyBytes } from "./sealing.ts";

const howToMake = "Make one with `openssl rand -hex 32`.";

export interface KeyOptions {
  /** `PCTL_KEY`, `XDG_CONFIG_HOME`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  readonly home: string;
  /** Make the key file where there is neither it nor PCTL_KEY. */
  readonly create: boolean;
}

/**
 * The key that seals: PCTL_KEY, else the file `~/.config/pctl/key` (in XDG_CONFIG_HOME where that is set); 64 hex digits or base64
 * of 32 bytes. Undefined where there is none and `create` is false. Throws `INVALID` for another text, `FORBIDDEN` where others can
 * read the file. Two processes that make it at one time end with the same key.
 */
export function loadKey(options: KeyOptions): Buffer | undefined {
  const given = options.env["PCTL_KEY"];
  if (given !== undefined && given !== "") return parseKey(given, "PCTL_KEY");
  const path = keyPath(options);
  try {
    return readKey(path) ?? (options.create ? makeKey(path) : undefined);
  } catch (error) {
    throw systemCode(error)?.startsWith("E") === true ? fileError(error, "use the key file", path) : error;
  }
}

export function keyPath({ env, home }: Pick<KeyOptions, "env" | "home">): string {
  const config = env["XDG_CONFIG_HOME"];
  return join(config === undefined || config === "" ? join(home, ".config") : config, "pctl", "key");
}

/** Loads the key when it is first needed: to seal, making it where there is none; to open, only if it is there. */
export function lazySealer(options: Omit<KeyOptions, "create">): Sealer {
  let loaded: Sealer | undefined;
  const load = (create: boolean): Sealer => {
    if (loaded !== undefined) return loaded;
    const key = loadKey({ ...options, create });
    if (key === undefined) throw noKey(options);
    return (loaded = createSealer(key));
  };
  return {
    seal: (plain, purpose) => load(true).seal(plain, purpose),
    open: (sealed, purpose) => load(false).open(sealed, purpose),
  };
}

function readKey(path: string): Buffer | undefined {
  let text: string;
  try {
    if ((statSync(path).mode & 0o077) !== 0) throw readableByOthers(path);
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  return parseKey(text, path);
}

/** Written whole under another name first, then linked: nobody reads half a key, and who comes second takes the first one's. */
function makeKey(path: string): Buffer {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    writeFileSync(draft, `${randomBytes(keyBytes).toString("hex")}\n`, { mode: 0o600, flag: "wx", flush: true });
    linkSync(draft, path);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const key = readKey(path);
  if (key === undefined)
    throw new CtrlPlaneError("CONFLICT", `the key file ${path} was removed while it was made`, { target: path });
  return key;
}

function parseKey(text: string, from: string): Buffer {
  const trimmed = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return Buffer.from(trimmed, "hex");
  const key = Buffer.from(trimmed, "base64");
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed) && key.length === keyBytes) return key;
  throw new CtrlPlaneError("INVALID", `${from} holds no key: 64 hex digits or base64 of ${keyBytes} bytes are needed`, {
    target: from,
    hint: howToMake,
  });
}

function readableByOthers(path: string): CtrlPlaneError {
  return new CtrlPlaneError("FORBIDDEN", `the key file ${path} can be read by other users`, {
    target: path,
    hint: `Run \`chmod 600 ${path}\`; if others may have read it, make a new one and deploy again.`,
  });
}

function noKey(options: Omit<KeyOptions, "create">): CtrlPlaneError {
  return new CtrlPlaneError("FORBIDDEN", "there is no key to open what is sealed", {
    target: keyPath(options),
    hint: `Set PCTL_KEY to the key of who deployed this, or copy their key file to ${keyPath(options)}.`,
  });
}
