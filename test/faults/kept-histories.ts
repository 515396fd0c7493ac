import type { Deed } from "./histories.ts";

/** Histories that once ended badly, as small as they could be made. */
export const keptHistories: readonly { readonly name: string; readonly deeds: readonly Deed[] }[] = [76, 90, 110].map(
  // No entry named the second provider yet, and no service did any more: what had been made there ran on, seen by nobody.
  (call) => ({
    name: `a first service on another provider, killed at call ${call}, is not wanted any more`,
    deeds: [
      { kind: "declare", service: "api", as: { image: "ok:1", replicas: 1, strategy: "recreate", on: "other" } },
      { kind: "command", command: "deploy", fault: { point: `#${call}`, kind: "kill-before" } },
      { kind: "drop", service: "api" },
    ],
  }),
);
