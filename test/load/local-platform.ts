import { pctlPlatform } from "./pctl-platform.ts";

/** `local`, by the built `pctl`. */
export const platform = pctlPlatform("local", () => ({
  stack: "shop",
  provider: "provider: local",
  files: {},
  env: {},
  folder: "",
  // The project's own end stops what runs.
  remove: () => Promise.resolve(),
}));
