/** Fields by their keys, `*` for any. */
export interface Fields extends ReadonlyMap<string, Fields> {}

/** A field whose numbers and booleans keep their source text: `1.10` stays `1.10`. */
export const keepsText: Fields = new Map();

const each = (inner: Fields): Fields => new Map([["*", inner]]);
const service = new Map([
  ["env", each(keepsText)],
  ["build", new Map([["args", each(keepsText)]])],
]);
const services = new Map([["services", each(service)]]);

/** Of the whole file. */
export const textFields: Fields = new Map<string, Fields>([...services, ["environments", each(services)]]);

export function fieldsBelow(fields: Fields | undefined, key: string): Fields | undefined {
  return fields?.get(key) ?? fields?.get("*");
}
