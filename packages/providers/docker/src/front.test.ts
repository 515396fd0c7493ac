import assert from "node:assert/strict";
import { test } from "node:test";
import type { ObservedInstance, ServiceSpec } from "@ctrlplane/core/provider";
import { gapOf } from "./front.ts";

type Part = Pick<ServiceSpec, "strategy" | "scale" | "ports" | "volumes">;

function specOf(
  type: ServiceSpec["strategy"]["type"],
  replicas: number,
  protocol: "http" | "udp" = "http",
): ServiceSpec {
  const part: Part = {
    strategy: {
      type,
      declared: true,
      batch: { count: 1 },
      steps: [],
      pause: "manual",
      timeoutMs: 1,
      drainMs: 0,
      onFailure: "revert",
    },
    scale: { replicas },
    ports: [{ containerPort: 3000, hostPort: 8080, protocol }],
    volumes: [],
  };
  // What `gapOf` reads.
  return part as ServiceSpec;
}

// What `gapOf` reads.
const direct = { facts: { isDirect: true, hasGateway: false } } as unknown as ObservedInstance;
const behind = { facts: { isDirect: false, hasGateway: true } } as unknown as ObservedInstance;

const cases: readonly [
  what: string,
  spec: ServiceSpec,
  observed: ObservedInstance | undefined,
  said: RegExp | undefined,
][] = [
  ["a first deploy has no gap", specOf("rolling", 2), undefined, undefined],
  ["one that publishes its port stays so", specOf("recreate", 1), direct, undefined],
  [
    "one that publishes its port becomes a rolling one",
    specOf("rolling", 1),
    direct,
    /port 8080: its container lets go/,
  ],
  ["one that publishes its port gets more replicas", specOf("recreate", 2), direct, /port 8080: its container lets go/],
  ["a gateway stays, whatever the strategy is", specOf("recreate", 1), behind, undefined],
  ["a gateway leaves where a port is UDP", specOf("recreate", 1, "udp"), behind, /port 8080: its gateway lets go/],
];

for (const [what, spec, observed, said] of cases) {
  test(what, () => {
    const [found, ...others] = gapOf(spec, observed);
    assert.deepEqual(others, []);
    if (said === undefined) assert.equal(found, undefined);
    else assert.match(found?.summary ?? "", said);
    if (found !== undefined)
      assert.deepEqual([found.severity, found.code, found.field], ["warning", "gap", "strategy"]);
  });
}
