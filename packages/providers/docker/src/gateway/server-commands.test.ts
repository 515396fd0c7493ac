import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, parkCommands, serverCommands } from "./server-commands.ts";
import type { Server } from "./servers.ts";
import type { SeenServer } from "./state.ts";

const words = "check inter 2s";

test("a canary: the old share rises before the new one comes, nobody is ever without a target", () => {
  assert.deepEqual(serverCommands([seen("a", 1)], [wanted("a", 99), wanted("b", 1)], { words }), [
    "set server http-80/a weight 99",
    "add server http-80/b 10.0.0.9:80 weight 1 check inter 2s",
    "enable health http-80/b",
    "enable server http-80/b",
  ]);
  assert.deepEqual(serverCommands([seen("a", 99), seen("b", 1)], [wanted("b", 1)], { words }), [
    "set server http-80/a state drain",
  ]);
  assert.deepEqual(serverCommands([seen("a", 9), seen("b", 1)], [wanted("a", 0), wanted("b", 5)], { words }), [
    "set server http-80/b weight 5",
    "set server http-80/a weight 0",
  ]);
});

test("one that comes back is ready again, one that moved is followed, a backup is not checked", () => {
  assert.deepEqual(serverCommands([{ ...seen("a", 1), isDraining: true }], [wanted("a", 1)], { words }), [
    "set server http-80/a state ready",
  ]);
  assert.deepEqual(serverCommands([seen("a", 1)], [{ ...wanted("a", 1), host: "10.0.0.7" }], { words }), [
    "set server http-80/a addr 10.0.0.7 port 80",
  ]);
  const followed = { ...seen("a", 1), isFollowed: true };
  assert.deepEqual(serverCommands([followed], [{ ...wanted("a", 1), host: "10.0.0.7" }], { words }), []);
  assert.deepEqual(serverCommands([], [{ ...wanted("a-any", 1), isBackup: true }], { words }), [
    "add server http-80/a-any 10.0.0.9:80 weight 1 backup",
    "enable server http-80/a-any",
  ]);
});

test("nothing is done to what is so already, and to servers that only probe", () => {
  const probe = { ...seen("p", 0), backend: "probe-tcp" };
  assert.deepEqual(serverCommands([seen("a", 1), probe], [wanted("a", 1)], { words }), []);
  assert.deepEqual(serverCommands([{ ...seen("a", 1), isDraining: true }], [], { words }), []);
  assert.deepEqual(differences([seen("a", 1), probe], [wanted("a", 1)]), []);
});

test("only what drains and has nothing open is parked", () => {
  const draining = { ...seen("a", 1), isDraining: true };
  assert.deepEqual(parkCommands([draining, seen("b", 1)], new Set(["http-80/a", "http-80/b"])), [
    "set server http-80/a state maint",
  ]);
  assert.deepEqual(parkCommands([draining], new Set()), []);
  assert.deepEqual(parkCommands([{ ...draining, isInMaintenance: true }], new Set(["http-80/a"])), []);
});

test("differences are told in words", () => {
  assert.deepEqual(differences([seen("a", 1), seen("c", 1)], [wanted("a", 2), wanted("b", 1)]), [
    `http-80/a lacks "set server http-80/a weight 2"`,
    "http-80/b is missing",
    "http-80/c is still routed",
  ]);
});

function wanted(name: string, weight: number): Server {
  return { backend: "http-80", name, host: "10.0.0.9", port: 80, weight, isBackup: false };
}

function seen(name: string, weight: number): SeenServer {
  return {
    backend: "http-80",
    name,
    host: "10.0.0.9",
    port: 80,
    weight,
    isFollowed: false,
    isDraining: false,
    isInMaintenance: false,
  };
}
