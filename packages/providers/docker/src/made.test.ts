import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerDetails } from "./engine-types.ts";
import { differences, envHashes, madeOf, type Made } from "./made.ts";

const made: Made = {
  v: 1,
  image: "web@sha256:1",
  env: envHashes({ WORD: "it's = $HOME\nand more", EMPTY: "" }),
  command: ["sh", "-c", "exec web"],
  memory: 64 * 1024 ** 2,
  ports: ["127.0.0.1:8080->3000/tcp"],
  mounts: ["/data=shop-web-storage", "/etc/app=(host)"],
  network: "shop-network",
  isDirect: true,
};

interface Change {
  readonly image?: string;
  readonly env?: readonly string[];
  readonly cmd?: readonly string[];
  readonly memory?: number;
  readonly cpus?: number;
  readonly ports?: ContainerDetails["HostConfig"]["PortBindings"];
  readonly mounts?: ContainerDetails["Mounts"];
  readonly networks?: ContainerDetails["NetworkSettings"]["Networks"];
}

const env = ["WORD=it's = $HOME\nand more", "EMPTY=", "PATH=/bin", "LANG=C"];
const ports = { "3000/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }] };
const mounts = [
  { Type: "volume", Name: "shop-web-storage", Destination: "/data" },
  { Type: "bind", Destination: "/etc/app" },
  { Type: "volume", Name: "f".repeat(64), Destination: "/of/the/image" },
];
const networks = { "shop-network": { IPAddress: "10.0.0.2", NetworkID: "n1" } };

function detailsOf(change: Change): ContainerDetails {
  const part = {
    Config: {
      Image: change.image ?? made.image,
      Env: change.env ?? env,
      Cmd: change.cmd ?? made.command,
      Entrypoint: null,
    },
    HostConfig: {
      Memory: change.memory ?? made.memory,
      NanoCpus: change.cpus ?? 0,
      PortBindings: change.ports ?? ports,
    },
    Mounts: change.mounts ?? mounts,
    NetworkSettings: { Networks: change.networks ?? networks },
  };
  // What `differences` reads.
  return part as unknown as ContainerDetails;
}

const cases: readonly [what: string, change: Change, expected: readonly string[]][] = [
  ["what is as it was made", {}, []],
  ["another image", { image: "web@sha256:2" }, ["image: web@sha256:2 → web@sha256:1"]],
  ["another value", { env: ["WORD=x", ...env.slice(1)] }, ["env.WORD: another value → as deployed"]],
  ["a variable less", { env: env.filter((each) => each !== "EMPTY=") }, ["env.EMPTY: absent → as deployed"]],
  ["a variable more", { env: [...env, "DEBUG=1"] }, ["env.DEBUG: a value → absent"]],
  [
    "the image's own variable with another value",
    { env: [...env.slice(0, 3), "LANG=de"] },
    ["env.LANG: a value → absent"],
  ],
  ["another command", { cmd: ["sh"] }, ["command: sh → sh -c exec web"]],
  ["another limit", { memory: 32 * 1024 ** 2 }, ["scale.memoryMb: 32 → 64 (small)"]],
  ["a limit where there was none", { cpus: 500_000_000 }, ["scale.cpuMillis: 500 → none"]],
  ["no port", { ports: {} }, ["ports: none → 127.0.0.1:8080->3000/tcp"]],
  [
    "another volume",
    { mounts: [{ Type: "volume", Name: "x", Destination: "/data" }, ...mounts.slice(1)] },
    ["volumes: /data=x /etc/app=(host) → /data=shop-web-storage /etc/app=(host)"],
  ],
  ["no network", { networks: {} }, ["network: not in it → shop-network"]],
];

for (const [what, change, expected] of cases) {
  test(`made and seen: ${what}`, () => {
    const found = differences(made, detailsOf(change), new Set(["LANG=C"]));
    assert.deepEqual(
      found.map((each) => `${each.path}: ${each.before} → ${each.after}${each.isSmall === true ? " (small)" : ""}`),
      expected,
    );
  });
}

test("no value of the environment is in the label, and a label that is not ours is none", () => {
  assert.doesNotMatch(JSON.stringify(made), /HOME/);
  assert.deepEqual(madeOf({ "pctl-made": JSON.stringify(made) }), made);
  assert.equal(madeOf({ "pctl-made": "by hand" }), undefined);
  assert.equal(madeOf(null), undefined);
});

test("where the image is gone, what it set itself is not known, and no variable is too many", () => {
  assert.deepEqual(differences(made, detailsOf({ env: [...env, "DEBUG=1"] }), undefined), []);
});
