import assert from "node:assert/strict";
import { test } from "node:test";
import type { HealthSpec } from "@ctrlplane/core/provider";
import { configurationOf, probeBackend } from "./configuration.ts";
import type { GatewayTable } from "./gateway-table.ts";

const table: GatewayTable = {
  ports: [
    { containerPort: 3000, hostPort: 8080, protocol: "auto" },
    { containerPort: 3000, hostPort: 8081, protocol: "auto" },
    { containerPort: 5432, protocol: "tcp" },
  ],
  targets: [
    { id: "0123456789abcdef".repeat(4), host: "172.20.0.2", weight: 99 },
    { id: "fedcba9876543210".repeat(4), host: "172.20.0.3", weight: 1 },
  ],
  drainMs: 5000,
};
const follows = "resolvers engine resolve-prefer ipv4 resolve-opts allow-dup-ip init-addr libc,none";
const checked = "check inter 2000ms fastinter 500ms downinter 500ms rise 1 fall 3";
const health: HealthSpec = {
  probe: { kind: "http", path: "/it's?a=b", port: 9000 },
  intervalMs: 3000,
  timeoutMs: 700,
  retries: 4,
  graceMs: 0,
  onFailure: { action: "restart", declared: false },
};

test("a listener for each container port, a backend for each protocol, a server for each target", () => {
  const { text } = configurationOf({ table, probes: [] });
  assert.deepEqual(section(text, "frontend port-3000"), [
    "bind :3000",
    "tcp-request inspect-delay 1s",
    "tcp-request content switch-mode http if HTTP",
    "use_backend http-3000 if HTTP",
    "default_backend tcp-3000",
  ]);
  assert.deepEqual(section(text, "frontend port-5432"), ["bind :5432", "default_backend tcp-5432"]);
  assert.equal(text.match(/^frontend /gm)?.length, 2);
  assert.deepEqual(section(text, "backend tcp-5432"), [
    "balance roundrobin",
    "option allbackups",
    "timeout check 2000ms",
    `# ${checked}`,
    `server s1 0123456789ab:5432 ${follows} weight 99 ${checked}`,
    `server s2 fedcba987654:5432 ${follows} weight 1 ${checked}`,
    ...[3, 4, 5, 6, 7, 8].map((slot) => `server s${slot} pctl-gateway:5432 ${follows} ${checked} disabled`),
  ]);
});

test("an HTTP check is asked at its own port, its path is one word, and targets that fail it stand by for each other", () => {
  const { text } = configurationOf({ table: { ...table, health }, probes: [] });
  const lines = section(text, "backend http-3000");
  assert.ok(
    lines.includes(
      String.raw`http-check send meth GET uri '/it'\''s?a=b' ver HTTP/1.1 hdr Host localhost hdr User-Agent pctl-health hdr Connection close`,
    ),
  );
  assert.ok(lines.includes("timeout check 700ms"));
  assert.ok(
    lines.includes(
      `server s1 0123456789ab:3000 ${follows} weight 99 check inter 3000ms fastinter 500ms downinter 500ms rise 1 fall 4 port 9000`,
    ),
  );
  assert.ok(lines.includes(`server b2 fedcba987654:3000 ${follows} weight 1 backup`));
  assert.ok(lines.includes(`server b3 pctl-gateway:3000 ${follows} backup disabled`));
});

test("a path that could be more than one line of the configuration is refused", () => {
  for (const path of ["/a\nglobal", "/a b", "/ü", ""]) {
    const stored = { table: { ...table, health: { ...health, probe: { kind: "http", path } as const } }, probes: [] };
    assert.throws(() => configurationOf(stored), { code: "INVALID" });
  }
});

test("targets and weights are no part of the structure; ports, checks and probes are", () => {
  const { structure, text } = configurationOf({ table, probes: [] });
  assert.ok(text.includes(`  description ${structure}\n`));
  const same = [
    { ...table, targets: [] },
    { ...table, drainMs: 1, targets: table.targets.toReversed() },
  ];
  for (const each of same) assert.equal(configurationOf({ table: each, probes: [] }).structure, structure);
  const others = [
    configurationOf({ table: { ...table, ports: [] }, probes: [] }),
    configurationOf({ table: { ...table, health }, probes: [] }),
    configurationOf({ table: { ...table, health: { ...health, intervalMs: 4000 } }, probes: [] }),
    configurationOf({ table, probes: ["/health"] }),
  ].map((each) => each.structure);
  assert.equal(new Set([structure, ...others]).size, 5);
});

test("every probed path has a backend that nothing is routed to", () => {
  const { text } = configurationOf({ table, probes: ["/health"] });
  assert.ok(text.includes(`backend ${probeBackend("/health")}\n`));
  assert.ok(text.includes(`backend ${probeBackend(undefined)}\n`));
  assert.ok(!text.includes(`use_backend ${probeBackend("/health")}`));
});

function section(text: string, head: string): readonly string[] {
  const lines = text.split("\n");
  const from = lines.indexOf(head) + 1;
  assert.ok(from > 0, `${head} is missing`);
  const end = lines.findIndex((each, index) => index >= from && !each.startsWith("  "));
  return lines.slice(from, end).map((each) => each.trim());
}
