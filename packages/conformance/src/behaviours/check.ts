import assert from "node:assert/strict";
import { hasErrors, type Capability, type ServiceSpec } from "@ctrlplane/core/provider";
import { group } from "../behaviour.ts";
import type { Bench } from "../bench.ts";
import { blueGreen, canary, rolling, serves } from "../spec.ts";

/** A spec that takes a capability is refused where it is not declared, with the field; by the user's word it is a warning. */
async function undeclaredIsRefused(
  bench: Bench,
  capability: Capability,
  field: string,
  change: Partial<ServiceSpec>,
): Promise<void> {
  const { provider, health } = bench;
  const web = await bench.service();
  const spec = web.spec(serves("one"), change);
  const found = provider.check(spec, health, web.instance).filter((each) => each.field?.startsWith(field) === true);
  const isDeclared = provider.capabilities().includes(capability);
  if (isDeclared)
    return assert.deepEqual(
      found.filter((each) => each.severity === "error"),
      [],
    );
  assert.ok(hasErrors(found), `${capability} is not declared, and check lets a spec with ${field} pass`);
}

export const check = group("check", [], {
  "accepts-a-plain-service": [
    "A plain service has no errors.",
    async (bench) => {
      const web = await bench.service();
      const found = bench.provider.check(web.spec(serves("one")), bench.health, web.instance);
      assert.deepEqual(
        found.filter((each) => each.severity === "error"),
        [],
      );
    },
  ],
  "is-pure": [
    "`check` needs no platform, changes neither spec nor health, and says the same again.",
    async (bench) => {
      const web = await bench.service();
      const spec = web.spec(serves("one"), { tls: {}, domains: [{ host: "example.com", path: "/" }] });
      const [specBefore, healthBefore] = [structuredClone(spec), structuredClone(bench.health)];
      const apart = bench.harness.unreachable();
      const found = bench.provider.check(spec, bench.health, web.instance);
      assert.deepEqual(apart.check(spec, bench.health, web.instance), found);
      assert.deepEqual([spec, bench.health], [specBefore, healthBefore]);
      await apart.close();
    },
  ],
  "an-error-names-its-field": [
    "Every error has a field, a code and a summary.",
    async (bench) => {
      const web = await bench.service();
      const everything: Partial<ServiceSpec> = {
        tls: {},
        domains: [{ host: "example.com", path: "/" }],
        scale: { replicas: { min: 1, max: 3 }, gpuCount: 1, gpuType: "nvidia-l4", diskMb: 1 },
        volumes: [{ path: bench.harness.mountPath ?? "data", readOnly: true, sizeMb: 1 }],
      };
      const found = bench.provider.check(web.spec(serves("one"), everything), bench.health, web.instance);
      for (const { severity, field, code, summary } of found) {
        if (severity !== "error") continue;
        assert.ok(field !== undefined && field !== "" && code !== "" && summary !== "", JSON.stringify(found));
      }
    },
  ],
  "tls-is-declared-or-refused": [
    "`tls` is declared, or refused.",
    (bench) => undeclaredIsRefused(bench, "tls", "tls", { tls: {} }),
  ],
  "domains-are-declared-or-refused": [
    "Domains are declared, or refused.",
    (bench) =>
      undeclaredIsRefused(bench, "custom_domains", "domains", { domains: [{ host: "example.com", path: "/" }] }),
  ],
  "gpus-are-declared-or-refused": [
    "GPUs are declared, or refused.",
    (bench) => undeclaredIsRefused(bench, "gpu", "scale.gpu", { scale: { replicas: 1, gpuCount: 1 } }),
  ],
  "volumes-are-declared-or-refused": [
    "Volumes are declared, or refused.",
    (bench) =>
      undeclaredIsRefused(bench, "volumes", "volumes", {
        volumes: [{ path: bench.harness.mountPath ?? "data", readOnly: false }],
      }),
  ],
  "rolling-is-declared-or-refused": [
    "Strategy rolling is declared, or refused.",
    (bench) => undeclaredIsRefused(bench, "rolling", "strategy", { strategy: rolling }),
  ],
  "blue-green-is-declared-or-refused": [
    "Strategy blue_green is declared, or refused.",
    (bench) => undeclaredIsRefused(bench, "blue_green", "strategy", { strategy: blueGreen }),
  ],
  "canary-is-declared-or-refused": [
    "Strategy canary is declared, or refused.",
    (bench) => undeclaredIsRefused(bench, "canary", "strategy", { strategy: canary }),
  ],
  "what-is-accepted-is-no-error": [
    "A field that is refused because it would be ignored is a warning where the user accepts that.",
    async (bench) => {
      const web = await bench.service();
      const change: Partial<ServiceSpec> = { tls: {} };
      const first = bench.provider.check(web.spec(serves("one"), change), bench.health, web.instance);
      if (!first.some((each) => each.field === "tls" && each.severity === "error")) return;
      const accepted = { ...change, accept: ["tls"] };
      const second = bench.provider.check(web.spec(serves("one"), accepted), bench.health, web.instance);
      assert.deepEqual(
        second.filter((each) => each.field === "tls").map((each) => each.severity),
        ["warning"],
      );
    },
  ],
});
