import assert from "node:assert/strict";
import { test } from "node:test";
import { assignPorts, publicationsOf, type Publication } from "./ports.ts";

test("a new port gets a container of its own, what is published stays where it is", () => {
  const first = { publishes: [port(8080)] };
  assert.deepEqual(assignPorts([first], [port(8080)]), { kept: [first], retired: [] });
  assert.deepEqual(assignPorts([first], [port(8080), port(9090)]), {
    kept: [first],
    added: [port(9090)],
    retired: [],
  });
  assert.deepEqual(assignPorts([], [port(8080), port(9090)]), {
    kept: [],
    added: [port(8080), port(9090)],
    retired: [],
  });
});

test("a container goes with the last of its ports", () => {
  const both = { publishes: [port(8080), port(9090)] };
  const one = { publishes: [port(7070)] };
  assert.deepEqual(assignPorts([both, one], [port(9090)]), { kept: [both], retired: [one] });
  assert.deepEqual(assignPorts([both], [port(9090, "127.0.0.1")]), {
    kept: [],
    added: [port(9090, "127.0.0.1")],
    retired: [both],
  });
});

test("without host ports one container serves the network", () => {
  const inside = { publishes: [] };
  const published = { publishes: [port(8080)] };
  assert.deepEqual(assignPorts([], []), { kept: [], added: [], retired: [] });
  assert.deepEqual(assignPorts([inside], []), { kept: [inside], retired: [] });
  assert.deepEqual(assignPorts([published], []), { kept: [], added: [], retired: [published] });
  assert.deepEqual(assignPorts([inside], [port(8080)]), { kept: [], added: [port(8080)], retired: [inside] });
});

test("a port is published once, at all addresses unless one is named", () => {
  const ports = [
    { containerPort: 80, hostPort: 8080, protocol: "auto" },
    { containerPort: 80, hostPort: 8080, protocol: "http" },
    { containerPort: 81, protocol: "tcp" },
  ] as const;
  assert.deepEqual(publicationsOf({ ports, targets: [], drainMs: 0 }), [port(8080)]);
});

test("a host port that leads elsewhere takes its container with it", () => {
  const both = { publishes: [port(8080), port(9090)] };
  const moved = { ...port(8080), containerPort: 81 };
  assert.deepEqual(assignPorts([both], [moved, port(9090)]), {
    kept: [],
    added: [moved, port(9090)],
    retired: [both],
  });
});

function port(hostPort: number, address = ""): Publication {
  return { containerPort: 80, hostPort, address };
}
