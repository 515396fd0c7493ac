import assert from "node:assert/strict";
import { newId, type Provider, type ProviderContext } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { rejects } from "../expect.ts";
import { ending } from "../service.ts";
import { serves } from "../spec.ts";

/** The methods that a capability promises, as calls of a provider whose platform is not there. */
async function callsOf(
  bench: Bench,
): Promise<Readonly<Record<string, (apart: Provider, context: ProviderContext) => Promise<unknown>>>> {
  const web = await bench.service();
  const { instance } = web;
  const release = web.pin(web.spec(serves("one")), { digest: "sha256:0", declared: "one" });
  const request = web.request(release);
  return {
    provision: (apart, context) => apart.provision({ instance, spec: release.spec }, context),
    deploy: (apart, context) => apart.deploy(request, context),
    scale: (apart, context) =>
      apart.scale({ instance, release, replicas: 2, deployment: newId("dep"), journal: bench.journal() }, context),
    logs: async (apart, context) => {
      for await (const _ of apart.logs({ instance, follow: false, previous: false }, context)) break;
    },
    exec: (apart, context) => apart.exec({ instance, command: ["true"] }, context),
    advance: (apart, context) => apart.advance({ ...request, to: "promote" }, context),
    stop: (apart, context) => apart.stop({ instance, ...ending }, context),
  };
}

const capabilityOf: Readonly<Record<string, readonly string[]>> = {
  advance: ["canary", "blue_green"],
  stop: ["deploy"],
  scale: ["scale", "autoscale"],
};

/** With its platform away any request fails otherwise: `UNSUPPORTED` was said before one. */
const refusesOrHas = (method: string) => async (bench: Bench) => {
  const call = (await callsOf(bench))[method];
  assert.ok(call !== undefined);
  const isDeclared = (capabilityOf[method] ?? [method]).some((name) =>
    bench.provider.capabilities().some((each) => each === name),
  );
  const apart = bench.harness.unreachable();
  try {
    if (isDeclared) {
      const outcome = await call(apart, bench.context()).then(
        () => "",
        (error: unknown) => (error instanceof Error && "code" in error ? error.code : ""),
      );
      assert.notEqual(outcome, "UNSUPPORTED", `${method} is declared`);
    } else await rejects(call(apart, bench.context()), "UNSUPPORTED");
  } finally {
    await apart.close();
  }
};

export const capabilities = group(
  "capabilities",
  [],
  Object.fromEntries(
    ["provision", "deploy", "stop", "scale", "logs", "exec", "advance"].map((method) => [
      `${method}-is-there-or-unsupported`,
      [
        `\`${method}\` throws \`UNSUPPORTED\` before any request where its capability is not declared, and never where it is.`,
        refusesOrHas(method),
      ],
    ]),
  ),
);
