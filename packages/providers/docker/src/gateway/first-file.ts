const block = 512;

/** The first file's text of a tar archive; undefined where it has none. */
export function firstFileOf(archive: Buffer): string | undefined {
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
