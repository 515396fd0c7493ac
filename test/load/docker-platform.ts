import { randomBytes } from "node:crypto";
import { removeStack } from "../engines/remains.ts";
import type { LoadPlatform } from "./load-subject.ts";
import { pctlPlatform } from "./pctl-platform.ts";

/** `docker` on the engine at a socket, by the built `pctl`. */
export function dockerPlatform(socket: string): LoadPlatform {
  return pctlPlatform("docker", () => {
    const stack = `load${randomBytes(4).toString("hex")}`;
    return {
      stack,
      provider: `provider: here\nproviders: { here: { type: docker, options: { socket: ${socket} } } }`,
      files: { Dockerfile: "FROM node:24-slim\nCOPY . /web/\n" },
      env: { PORT: "3000" },
      folder: "/web/",
      remove: () => removeStack({ kind: "socket", path: socket }, stack),
    };
  });
}
