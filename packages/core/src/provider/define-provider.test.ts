import assert from "node:assert/strict";
import { test } from "node:test";
import type { Capability } from "./capability.ts";
import type { ProviderContext } from "./context.ts";
import { defineProvider } from "./define-provider.ts";
import type { Provider } from "./provider.ts";

const never = (): Promise<never> => Promise.reject(new Error("not called"));

const common = {
  type: "sample",
  info: never,
  health: never,
  check: () => [],
  address: () => ({ host: "localhost", ports: [], published: [] }),
  identifyImage: never,
  buildImage: never,
  status: never,
  list: never,
  resources: never,
  close: () => Promise.resolve(),
};

const deploying = { deploy: never, rollback: never, start: never, stop: never, restart: never, run: never };

test("a capability and its methods belong together, for the compiler too", () => {
  const nothing: Provider = defineProvider({ ...common, capabilities: [] });
  assert.deepEqual(nothing.capabilities(), []);

  // @ts-expect-error exec is declared, and there is no exec
  defineProvider({ ...common, capabilities: ["exec"] });
  defineProvider({ ...common, capabilities: ["exec"], exec: never });

  // @ts-expect-error deploy promises rollback too
  defineProvider({ ...common, capabilities: ["deploy"], ...deploying, rollback: undefined });
  defineProvider({ ...common, capabilities: ["deploy", "rolling", "volumes", "tls"], ...deploying });

  // @ts-expect-error a canary that pauses must be able to go on
  defineProvider({ ...common, capabilities: ["deploy", "canary"], ...deploying });
  defineProvider({ ...common, capabilities: ["deploy", "canary"], ...deploying, advance: never });

  // @ts-expect-error there is no such capability
  defineProvider({ ...common, capabilities: ["teleport"] });

  // @ts-expect-error what every provider has may not be left out
  defineProvider({ ...common, status: undefined, capabilities: [] });

  // @ts-expect-error a list whose members the compiler does not know may contain each of them
  defineProvider({ ...common, capabilities: [] as readonly Capability[] });

  // @ts-expect-error the method must be the one of the contract
  defineProvider({ ...common, capabilities: ["exec"], exec: () => 7 });
});

test("what is not declared refuses, although the method is there", async () => {
  let calls = 0;
  const exec = (): Promise<never> => {
    calls += 1;
    return never();
  };
  const provider = defineProvider({
    ...common,
    exec,
    capabilities: ["provision"],
    provision: never,
    deprovision: never,
  });
  // It is refused before either is looked at.
  const [request, context] = [{}, {}] as unknown as [Parameters<Provider["exec"]>[0], ProviderContext];
  await assert.rejects(provider.exec(request, context), { code: "UNSUPPORTED", provider: "sample" });
  await assert.rejects(
    async () => {
      for await (const line of provider.logs({ ...request, follow: false, previous: false }, context))
        assert.fail(line.text);
    },
    { code: "UNSUPPORTED" },
  );
  assert.equal(calls, 0);
});

test("methods keep their own this", async () => {
  const provider = defineProvider({
    ...common,
    capabilities: ["exec"],
    exec() {
      return Promise.reject(new Error(`I am ${this.type}`));
    },
    close() {
      return Promise.reject(new Error(`closing ${this.type}`));
    },
  });
  const [request, context] = [{}, {}] as unknown as [Parameters<Provider["exec"]>[0], ProviderContext];
  await assert.rejects(provider.exec(request, context), { message: "I am sample" });
  await assert.rejects(provider.close(), { message: "closing sample" });
});
