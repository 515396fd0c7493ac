/** Lower case letters, digits and dashes, as every platform takes them. */
export function stackName(wanted: string): string {
  const name = wanted
    .toLowerCase()
    .replace(/^@[^/]*\//, "")
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replace(/^-+|-+$/g, "");
  return /^[a-z]/.test(name) ? name : `app${name === "" ? "" : `-${name}`}`;
}
