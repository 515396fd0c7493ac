export * from "./describe.ts";
export * from "./input.ts";
export * from "./make-plan.ts";
export * from "./ownership.ts";
