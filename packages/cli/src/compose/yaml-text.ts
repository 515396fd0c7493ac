/** Values as lines of YAML that every reader takes for the same: short ones in one line, texts of several lines as blocks. */
export function writeEntry(key: string, value: unknown, indent: number, keepsText = false): string[] {
  const pad = " ".repeat(indent);
  const name = writeScalar(key, "block");
  if (typeof value === "string" && isBlockText(value))
    return [`${pad}${name}: ${chomped(value)}`, ...blockLines(value, indent + 2)];
  if (value === null || typeof value !== "object") return [`${pad}${name}: ${writeValue(value, keepsText)}`];
  const flow = writeFlow(value);
  if (!holdsBlockText(value) && indent + name.length + 2 + flow.length <= width) return [`${pad}${name}: ${flow}`];
  if (!Array.isArray(value))
    return [`${pad}${name}:`, ...Object.entries(value).flatMap(([inner, each]) => writeEntry(inner, each, indent + 2))];
  return [`${pad}${name}:`, ...value.flatMap((each: unknown) => writeItem(each, indent + 2))];
}

const width = 120;

function writeItem(value: unknown, indent: number): string[] {
  const pad = " ".repeat(indent);
  if (typeof value === "string" && isBlockText(value))
    return [`${pad}- ${chomped(value)}`, ...blockLines(value, indent + 2)];
  return [`${pad}- ${typeof value === "object" ? writeFlow(value) : writeValue(value, false)}`];
}

/** A number or boolean that keeps its source text needs no quotes. */
function writeValue(value: unknown, keepsText: boolean): string {
  if (typeof value !== "string") return String(value);
  if (keepsText && /^(-?(0|[1-9]\d*)(\.\d+)?|true|false)$/.test(value)) return value;
  return writeScalar(value, "block");
}

function writeFlow(value: unknown): string {
  if (typeof value === "string") return writeScalar(value, "flow");
  if (Array.isArray(value)) return `[${value.map((each) => writeFlow(each)).join(", ")}]`;
  if (value === null || typeof value !== "object") return String(value);
  const entries = Object.entries(value).map(([key, each]) => `${writeScalar(key, "flow")}: ${writeFlow(each)}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

/** Plain where no reader could take it for anything else, otherwise as JSON, which is YAML too. */
export function writeScalar(text: string, place: "block" | "flow"): string {
  if (/^(?:\d+(?:ms|s|m|h|[KMGT]i))+$/.test(text)) return text;
  const isWord =
    /^[A-Za-z_./][\w./@%+=-]*(?::[\w./@%+=-]+)*$/.test(text) &&
    (/^[A-Za-z_/]/.test(text) || /^\.{1,2}(?:\/|$)/.test(text));
  const isSentence = place === "block" && /^[A-Za-z_/][\w./@%+=,;()-]*(?: [\w./@%+=,;()-]+)*$/.test(text);
  if ((isWord || isSentence) && !reserved.test(text)) return text;
  return JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff]/g, escaped);
}

/** Words that some reader of YAML takes for a boolean or for nothing. */
const reserved = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Several lines that a block shows byte for byte. */
function isBlockText(text: string): boolean {
  return /^[^\s#][^]*\n/.test(text) && !/[^\n\x20-\x7e\u00a1-\ud7ff]|[ ]\n|\n\n$| $/.test(text) && text.trim() !== "";
}

function holdsBlockText(value: object): boolean {
  return Object.values(value).some((each: unknown) => typeof each === "string" && isBlockText(each));
}

function chomped(text: string): string {
  return text.endsWith("\n") ? "|" : "|-";
}

function blockLines(text: string, indent: number): string[] {
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.map((line) => (line === "" ? "" : " ".repeat(indent) + line));
}

/** Comment lines that end before they are too wide, and not inside of what is quoted. */
export function writeComment(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const [word] of text.matchAll(/(?:`[^`]*`|\S)+/g)) {
    if (line !== "" && indent + 2 + line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].map((each) => `${" ".repeat(indent)}# ${each}`);
}
