export const mask = "••••••";

/** Knows secret values and takes them out of texts: plain, and as JSON, URL and base64 would write them. */
export interface Redactor {
  /** Values shorter than 4 characters are not looked for in texts: they would mask everything. */
  add(value: string): void;
  redact(text: string): string;
}
