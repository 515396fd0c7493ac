import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { CtrlPlaneError } from "../errors/error.ts";
import type { Sealer } from "../provider/context.ts";

/** Bytes of a key. */
export const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const prefix = "sealed:v1:";

/**
 * Seals with AES-256-GCM under a random nonce; the purpose is authenticated with it. The text is `sealed:v1:{key id}:{base64url}`,
 * and the key id, 8 hex digits, lets `open` tell a wrong key (`FORBIDDEN`) from a damaged text (`INVALID`).
 */
export function createSealer(key: Buffer): Sealer {
  if (key.length !== keyBytes)
    throw new CtrlPlaneError("INVALID", `a key has ${keyBytes} bytes, this one ${key.length}`);
  const id = keyId(key);
  return {
    seal(plain, purpose) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(purpose));
      const sealed = Buffer.concat([nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return `${prefix}${id}:${sealed.toString("base64url")}`;
    },
    open(sealed, purpose) {
      const { sealedWith, bytes } = parse(sealed);
      if (sealedWith !== id) throw wrongKey(sealedWith, id);
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(-tagBytes));
      try {
        const plain = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
        return Buffer.concat([plain, decipher.final()]).toString("utf8");
      } catch (cause) {
        throw damaged(cause);
      }
    },
  };
}

/** True for a text that `seal` made. */
export function isSealed(text: string): boolean {
  return text.startsWith(prefix);
}

/** Says which key is meant and nothing about it. */
export function keyId(key: Buffer): string {
  return createHash("sha256").update("ctrlplane key id\n").update(key).digest("hex").slice(0, 8);
}

function parse(sealed: string): { sealedWith: string; bytes: Buffer } {
  const [, sealedWith, text] = /^sealed:v1:([0-9a-f]{8}):([A-Za-z0-9_-]+)$/.exec(sealed) ?? [];
  if (sealedWith === undefined || text === undefined) throw damaged();
  const bytes = Buffer.from(text, "base64url");
  if (bytes.length < nonceBytes + tagBytes) throw damaged();
  return { sealedWith, bytes };
}

function wrongKey(wanted: string, present: string): CtrlPlaneError {
  return new CtrlPlaneError("FORBIDDEN", `sealed with key ${wanted}; the key here is ${present}`, {
    hint: "Set PCTL_KEY to the key of who deployed this, or copy their ~/.config/pctl/key.",
  });
}

function damaged(cause?: unknown): CtrlPlaneError {
  return new CtrlPlaneError("INVALID", "a sealed text is damaged", {
    hint: "Deploy the service again: its values are then sealed anew.",
    ...(cause === undefined ? {} : { cause }),
  });
}
