import assert from "node:assert/strict";
import { test } from "node:test";
import type { Provider } from "./provider.ts";
import { createRegistry } from "./registry.ts";

// The registry hands providers around and calls none of their methods.
const provider = (type: string): Provider => ({ type }) as Provider;

test("two providers of one type live side by side under two names", () => {
  const registry = createRegistry();
  const [east, west] = [provider("docker"), provider("docker")];
  registry.register("east", east);
  registry.register("west", west);
  assert.equal(registry.get("east"), east);
  assert.equal(registry.get("west"), west);
  assert.deepEqual(registry.list(), ["east", "west"]);
});

test("only setDefault makes a default", () => {
  const registry = createRegistry();
  registry.register("east", provider("docker"));
  assert.throws(() => registry.default(), { code: "NOT_FOUND" });
  registry.setDefault("east");
  assert.equal(registry.default(), registry.get("east"));
});

test("an unknown name is answered with the nearest and all known ones", () => {
  const registry = createRegistry();
  assert.throws(() => registry.get("east"), { code: "NOT_FOUND", hint: "none is registered" });
  registry.register("k8s-prod", provider("kubernetes"));
  registry.register("docker-dev", provider("docker"));
  assert.throws(() => registry.get("k8s-prd"), {
    code: "NOT_FOUND",
    hint: "did you mean k8s-prod? registered are: k8s-prod, docker-dev",
  });
  assert.throws(() => registry.get("zzz"), { code: "NOT_FOUND", hint: "registered are: k8s-prod, docker-dev" });
  assert.throws(() => registry.setDefault("dockr-dev"), { code: "NOT_FOUND", provider: "dockr-dev" });
  assert.throws(() => registry.default(), { code: "NOT_FOUND" });
});

test("a name belongs to one provider", () => {
  const registry = createRegistry();
  const first = provider("docker");
  registry.register("dev", first);
  registry.register("dev", first);
  assert.throws(() => registry.register("dev", provider("docker")), { code: "CONFLICT" });
  assert.throws(() => registry.register("", first), { code: "INVALID" });
  assert.equal(registry.get("dev"), first);
});
