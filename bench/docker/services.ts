import type { Took } from "./bed.ts";
import { median } from "../report.ts";

/** Of every service of these benches: a small HTTP server that is up at once, and ends at once. */
export const image = "busybox:latest";
export const command = ["httpd", "-f", "-p", "8080"];
/** The engine's default for one provider. */
export const parallel = 8;

/** One line of `pctl.yaml`, with one host port. `version` makes it another. */
export function declareServer(index: number, port: number, address: string, version = "1"): string {
  const ports = `["${address === "127.0.0.1" ? "127.0.0.1:" : ""}${port}:8080"]`;
  const what = `image: ${image}, command: [${command.map((each) => JSON.stringify(each)).join(", ")}]`;
  return `s${index}: { ${what}, env: { VERSION: "${version}" }, ports: ${ports}, strategy: recreate, stop: { signal: SIGKILL } }`;
}

export function medianOf(all: readonly Took[], pick: (one: Took) => number): number {
  return median(all.map(pick));
}
