import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, parkCommands, serverCommands, unknownOf, unserved } from "./server-commands.ts";
import type { Server } from "./servers.ts";
import type { SeenServer } from "./state.ts";

test("a canary: the old share rises before the new one comes, nobody is ever without a target", () => {
  assert.deepEqual(serverCommands([seen("s1", "a", 1), free("s2")], [wanted("a", 99), wanted("b", 1)]), {
    isFull: false,
    raise: [
      "set server http-80/s1 weight 99",
      "set server http-80/s2 fqdn b",
      "set server http-80/s2 addr 10.0.0.9 port 80",
      "set server http-80/s2 weight 1",
      "set server http-80/s2 state ready",
    ],
    hasNew: true,
    lower: [],
  });
  assert.deepEqual(serverCommands([seen("s1", "a", 99), seen("s2", "b", 1)], [wanted("b", 1)]), {
    isFull: false,
    raise: [],
    hasNew: false,
    lower: ["set server http-80/s1 state drain"],
  });
  assert.deepEqual(serverCommands([seen("s1", "a", 9), seen("s2", "b", 1)], [wanted("a", 0), wanted("b", 5)]), {
    isFull: false,
    raise: ["set server http-80/s2 weight 5"],
    hasNew: false,
    lower: ["set server http-80/s1 weight 0"],
  });
});

test("one that comes back is ready again in its place, and takes no other's", () => {
  const draining = { ...seen("s1", "a", 1), isDraining: true };
  const { raise } = serverCommands([draining, free("s2")], [wanted("b", 1), wanted("a", 1)]);
  assert.equal(raise[0], "set server http-80/s1 state ready");
  assert.equal(raise[1], "set server http-80/s2 fqdn b");
});

test("a place whose last name is gone is taken last, and who is not known yet is waited for", () => {
  const gone = { ...free("s1"), isUnknown: true };
  assert.equal(serverCommands([gone, free("s2")], [wanted("b", 1)]).raise[0], "set server http-80/s2 fqdn b");
  assert.equal(serverCommands([gone], [wanted("b", 1)]).raise[0], "set server http-80/s1 fqdn b");
  const unknown = { ...seen("s1", "b", 1), isUnknown: true };
  assert.deepEqual(unknownOf([unknown, gone], [wanted("b", 1)]), [unknown]);
  assert.deepEqual(unknownOf([unknown, gone], [wanted("b", 0)]), []);
});

test("a place that somebody left just now is not taken", () => {
  const left = { ...free("s1"), restedS: 2 };
  assert.equal(serverCommands([left, free("s2")], [wanted("b", 1)]).raise[0], "set server http-80/s2 fqdn b");
  assert.deepEqual(differences([left], [wanted("b", 1)]), ["b is missing in http-80"]);
});

test("a backup takes a backup's place, and a full backend is said to lack one", () => {
  const backup = { ...wanted("a", 1), isBackup: true };
  assert.deepEqual(serverCommands([free("s1")], [backup]), { ...nothing, isFull: true });
  assert.deepEqual(differences([free("s1")], [backup]), ["a is missing in http-80"]);
  const { raise } = serverCommands([free("s1"), { ...free("b1"), isBackup: true }], [backup]);
  assert.equal(raise[0], "set server http-80/b1 fqdn a");
});

test("where there is no room for who comes, who is there stays until another worker has room", () => {
  assert.deepEqual(serverCommands([seen("s1", "a", 1)], [wanted("b", 1)]), { ...nothing, isFull: true });
  assert.deepEqual(serverCommands([seen("s1", "a", 1)], [wanted("a", 9), wanted("b", 1)]), {
    ...nothing,
    isFull: true,
  });
});

test("nothing is done to what is so already, and to servers that only probe", () => {
  const probe = { ...seen("p", "-", 0), backend: "probe-tcp" };
  assert.deepEqual(serverCommands([seen("s1", "a", 1), probe], [wanted("a", 1)]), nothing);
  assert.deepEqual(serverCommands([{ ...seen("s1", "a", 1), isDraining: true }, free("s2")], []), nothing);
  assert.deepEqual(differences([seen("s1", "a", 1), probe, free("s2")], [wanted("a", 1)]), []);
});

test("only what drains and has nothing open is parked", () => {
  const draining = { ...seen("s1", "a", 1), isDraining: true };
  assert.deepEqual(parkCommands([draining, seen("s2", "b", 1)], new Set(["http-80/s1", "http-80/s2"])), [
    "set server http-80/s1 state maint",
    "set server http-80/s1 fqdn pctl-gateway",
  ]);
  assert.deepEqual(parkCommands([draining], new Set()), []);
  assert.deepEqual(parkCommands([free("s1")], new Set(["http-80/s1"])), []);
});

test("differences are told in words", () => {
  const slots = [seen("s1", "a", 1), seen("s2", "c", 1), free("s3")];
  assert.deepEqual(differences(slots, [wanted("a", 2), wanted("b", 1)]), [
    `"set server http-80/s1 weight 2" was not done`,
    "b is missing in http-80",
    "c is still routed by http-80",
  ]);
});

test("a backend is served once somebody of the table is up where it is, and gets traffic", () => {
  const table = [wanted("a", 50), wanted("b", 50), wanted("old", 0)];
  const [a, b, old] = [seen("s1", "a", 50), seen("s2", "b", 50), seen("s3", "old", 1)];
  assert.deepEqual(unserved([a, b], table), []);
  const down = { ...a, isUp: false };
  assert.deepEqual(unserved([down, b], table), []);
  for (const other of [
    { ...b, isUp: false },
    { ...b, address: "10.0.0.8" },
    { ...b, isDraining: true },
    old,
    free("s4"),
  ])
    assert.deepEqual(unserved([down, other], table), ["http-80"]);
  const elsewhere = { ...wanted("a", 50), backend: "tcp-80" };
  assert.deepEqual(unserved([a, b], [...table, elsewhere]), ["tcp-80"]);
  assert.deepEqual(unserved([], [wanted("old", 0)]), []);
});

const nothing = { isFull: false, raise: [], hasNew: false, lower: [] };

function wanted(hostName: string, weight: number): Server {
  return { backend: "http-80", hostName, host: "10.0.0.9", port: 80, weight, isBackup: false };
}

function seen(slot: string, hostName: string, weight: number): SeenServer {
  return {
    backend: "http-80",
    slot,
    hostName,
    isBackup: false,
    weight,
    isDraining: false,
    isInMaintenance: false,
    isUnknown: false,
    restedS: Infinity,
    address: "10.0.0.9",
    isUp: true,
  };
}

function free(slot: string): SeenServer {
  return { ...seen(slot, "pctl-gateway", 1), isInMaintenance: true };
}
