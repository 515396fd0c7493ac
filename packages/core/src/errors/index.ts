export * from "./codes.ts";
export * from "./diagnostic.ts";
export * from "./error.ts";
export * from "./redaction.ts";
export * from "./message-of.ts";
