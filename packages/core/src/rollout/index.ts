export * from "./journal.ts";
export * from "./replica-driver.ts";
export * from "./revision-driver.ts";
