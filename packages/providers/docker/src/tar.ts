import { Readable } from "node:stream";

const block = 512;

/** Regular files of mode 0444 and root, as a tar archive in the ustar format. */
export function tarOf(files: readonly { readonly path: string; readonly data: Buffer }[]): Readable {
  const parts = files.flatMap(({ path, data }) => [headerOf(path, data.length), data, padding(data.length)]);
  return Readable.from([Buffer.concat([...parts, Buffer.alloc(2 * block)])]);
}

function padding(length: number): Buffer {
  return Buffer.alloc((block - (length % block)) % block);
}

function headerOf(path: string, size: number): Buffer {
  const header = Buffer.alloc(block);
  const { name, prefix } = split(path);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`;
  header.write(name, 0);
  header.write(octal(0o444, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(" ".repeat(8), 148);
  header.write("0", 156);
  header.write("ustar\u000000", 257);
  header.write(prefix, 345);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** Long paths go in two parts: up to 155 bytes, and up to 100 behind a slash. */
function split(path: string): { readonly name: string; readonly prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: "" };
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
    const prefix = path.slice(0, at);
    const name = path.slice(at + 1);
    if (Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { name, prefix };
  }
  throw new Error(`the path ${path} is too long for an archive`);
}
