import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stack } from "../model/stack.ts";
import { recordedProvider } from "./recorded-providers.ts";

const remote = { host: "203.0.113.7", user: "deploy", key: "~/.ssh/id", sudo: true };
const declared = (name: string, options: Record<string, unknown>) => ({ name, type: "docker", options, accept: [] });

/** A stack with these providers, whose service `web` is on `own`. */
function stackOf(providers: readonly ReturnType<typeof declared>[], own: readonly string[] = []): Stack {
  return {
    name: "shop",
    providers: Object.fromEntries(providers.map((each) => [each.name, each])),
    services: { web: { providers: own } },
  } as unknown as Stack; // as far as it is looked at here
}

const legacy = { provider: "docker", fingerprint: "f" };

const cases: [string, Parameters<typeof recordedProvider>, string][] = [
  [
    "this machine, by the type's own name",
    ["shop-web", { ...legacy, host: "local" }, stackOf([declared("docker", {})])],
    "docker",
  ],
  [
    "a host, by the name that options of a service have",
    [
      "shop-web",
      { ...legacy, ...remote },
      stackOf([declared("docker", {}), declared("docker@203.0.113.7", { host: "203.0.113.7" })]),
    ],
    "docker@203.0.113.7",
  ],
  [
    "a host that is declared by now",
    ["shop-web", { ...legacy, ...remote }, stackOf([declared("vps1", remote)])],
    "vps1",
  ],
  [
    "the one of two that the service is on",
    ["shop-web", { ...legacy, ...remote }, stackOf([declared("a", remote), declared("b", remote)], ["b"])],
    "b",
  ],
  ["a host that nothing declares", ["shop-old", { ...legacy, ...remote }, stackOf([])], "docker@203.0.113.7"],
  [
    "an entry of ours keeps its name",
    ["shop-web", { provider: "vps1", instance: "inst_1" }, stackOf([declared("vps1", remote), declared("docker", {})])],
    "vps1",
  ],
  [
    "an entry of ours whose provider left the file",
    ["shop-web", { provider: "docker@203.0.113.7", instance: "inst_1", ...remote }, stackOf([])],
    "docker@203.0.113.7",
  ],
];

for (const [name, words, expected] of cases) {
  test(`recorded providers: ${name}`, () => {
    const found = recordedProvider(...words);
    assert.equal(found.name, expected);
    assert.equal(found.type, "docker");
  });
}

test("recorded providers: one that is made of an entry leads where pctl 1.1 went", () => {
  const found = recordedProvider("shop-old", { ...legacy, ...remote }, stackOf([]));
  assert.deepEqual(found.options, remote);
});
