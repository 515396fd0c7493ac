const block = 512;

/** A tar archive of one folder with text files in it, as the engine's archive call takes it. Names are shorter than 100 bytes. */
export function packFolder(folder: string, files: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(files).map(([name, text]) => {
    const data = Buffer.from(text);
    const padding = Buffer.alloc((block - (data.length % block)) % block);
    return Buffer.concat([header(`${folder}/${name}`, data.length, "0", 0o644), data, padding]);
  });
  return Buffer.concat([header(`${folder}/`, 0, "5", 0o755), ...parts, Buffer.alloc(2 * block)]);
}

/** The first file's text of a tar archive; undefined where it has none. */
export function unpackFile(archive: Buffer): string | undefined {
  let at = 0;
  while (at + block <= archive.length && archive[at] !== 0) {
    const size = Number.parseInt(archive.toString("latin1", at + 124, at + 136).replaceAll("\0", ""), 8);
    const type = archive.toString("latin1", at + 156, at + 157);
    const start = at + block;
    // Other types are extended headers, of names that we do not need.
    if (type === "0" || type === "\0") return archive.toString("utf8", start, start + size);
    at = start + Math.ceil(size / block) * block;
  }
  return undefined;
}

function header(name: string, size: number, type: "0" | "5", mode: number): Buffer {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, at: number, width: number): void => {
    bytes.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
  };
  bytes.write(name, 0, "latin1");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  bytes.write(" ".repeat(8), 148, "latin1");
  bytes.write(type, 156, "latin1");
  bytes.write("ustar\u000000", 257, "latin1");
  const sum = bytes.reduce((total, each) => total + each, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}
