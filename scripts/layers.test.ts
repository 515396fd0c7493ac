import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { findViolations } from "./layers.ts";

/** Each plants one violation: where, what stands there, and what the check must say. */
const planted: [file: string, source: string, problem: RegExp][] = [
  ["packages/core/src/errors/error.ts", `import { a } from "../model/a.ts";`, /errors must not import model/],
  [
    "packages/core/src/model/spec.ts",
    `import type { P } from "../provider/provider.ts";`,
    /model must not import contract/,
  ],
  ["packages/core/src/provider/guard.ts", `import { a } from "../state/lease.ts";`, /contract must not import state/],
  [
    "packages/core/src/provider/guard.ts",
    `import { a } from "../rollout/rolling.ts";`,
    /contract must not import rollout/,
  ],
  ["packages/core/src/rollout/rolling.ts", `import { a } from "../plan/a.ts";`, /rollout must not import plan/],
  ["packages/core/src/state/lease.ts", `export * from "../engine/a.ts";`, /state must not import engine/],
  ["packages/core/src/config/load.ts", `const a = await import("../plan/a.ts");`, /config must not import plan/],
  ["packages/core/src/plan/decide.ts", `import { a } from "../apply/a.ts";`, /plan must not import apply/],
  ["packages/core/src/apply/execute.ts", `import { a } from "../engine/a.ts";`, /apply must not import engine/],
  ["packages/core/src/plan/decide.ts", `export type A = import("../apply/a.ts").A;`, /plan must not import apply/],
  ["packages/core/src/extras/a.ts", `import { a } from "../model/a.ts";`, /stands in no layer/],
  ["packages/core/src/engine/a.ts", `import { a } from "../../../cli/src/a.ts";`, /leaves its package/],
  [
    "packages/core/src/engine/a.ts",
    `import { a } from "@ctrlplane/provider-local";`,
    /must not import @ctrlplane\/provider-local/,
  ],
  ["packages/core/src/engine/a.ts", `import { createServer } from "node:http";`, /core must not import node:http/],
  [
    "packages/core/src/engine/a.ts",
    `import { createInterface } from "node:readline";`,
    /core must not import node:readline/,
  ],
  ["packages/core/src/engine/a.ts", `import tty from "node:tty";`, /core must not import node:tty/],
  ["packages/core/src/engine/a.ts", `console.log("hi");`, /core must not use console.log/],
  ["packages/core/src/engine/a.ts", `process.exit(1);`, /core must not use process.exit/],
  ["packages/core/src/engine/a.ts", `process.on("SIGINT", () => {});`, /core must not use process.on/],
  ["packages/core/src/engine/a.ts", `process.stdout.write("hi");`, /core must not use process.stdout/],
  ["packages/providers/local/src/a.ts", `import { a } from "@ctrlplane/core";`, /must not import @ctrlplane\/core/],
  [
    "packages/providers/local/src/a.ts",
    `import { a } from "@ctrlplane/provider-docker";`,
    /must not import @ctrlplane\/provider-docker/,
  ],
  ["packages/providers/local/src/a.ts", `import { a } from "../../docker/src/a.ts";`, /leaves its package/],
  ["packages/providers/docker/src/a.ts", `import { a } from "@ctrlplane/provider-kubernetes";`, /must not import/],
  ["packages/providers/eks/src/a.ts", `import { a } from "@ctrlplane/provider-gke";`, /must not import/],
  ["packages/images/src/a.ts", `import { a } from "@ctrlplane/core";`, /must not import @ctrlplane\/core/],
  ["packages/elsewhere/src/a.ts", `import { a } from "@ctrlplane/core";`, /no known package/],
];

/** What the rules allow: a check that refuses everything would pass the tests above. */
const allowed: [file: string, source: string][] = [
  ["packages/core/src/model/spec.ts", `import { a } from "../errors/index.ts";\nimport { b } from "./names.ts";`],
  ["packages/core/src/provider/requests.ts", `import type { J } from "../rollout/journal.ts";`],
  ["packages/core/src/provider/machine-provider.ts", `import { a } from "../rollout/roll-out.ts";`],
  ["packages/core/src/apply/execute.ts", `import { a } from "../plan/input.ts";\nprocess.pid;\nprocess.env.HOME;`],
  ["packages/core/src/engine/a.ts", `import { a } from "../apply/execute.ts";\nimport { z } from "zod";`],
  ["packages/core/src/engine/a.test.ts", `import { createServer } from "node:http";\nconsole.log("in a test");`],
  ["packages/core/src/state/testing/a.ts", `process.stdout.write("in a child of a test");`],
  ["packages/providers/local/src/a.ts", `import { a } from "@ctrlplane/core/provider";\nimport ignore from "ignore";`],
  ["packages/providers/eks/src/a.ts", `import { a } from "@ctrlplane/provider-kubernetes";`],
  ["packages/cli/src/a.ts", `import { a } from "@ctrlplane/core";\nimport { local } from "@ctrlplane/provider-local";`],
];

for (const [file, source, problem] of planted) {
  test(`${file} with ${source} is a violation`, (context) => {
    const root = plant(context, file, `// first line\n${source}\n`);
    const violations = findViolations(root);
    assert.equal(violations.length, 1, JSON.stringify(violations));
    assert.equal(violations[0]?.file, file);
    assert.equal(violations[0]?.line, 2);
    assert.match(violations[0]?.problem ?? "", problem);
  });
}

for (const [file, source] of allowed) {
  test(`${file} may say ${source}`, (context) => {
    assert.deepEqual(findViolations(plant(context, file, source)), []);
  });
}

test("the command that check runs fails on a violation and passes without one", (context) => {
  const run = (root: string) =>
    spawnSync(process.execPath, [join(import.meta.dirname, "layers.ts"), root], { encoding: "utf8" });
  const broken = run(plant(context, "packages/core/src/model/a.ts", `import "../engine/a.ts";\n`));
  assert.equal(broken.status, 1);
  assert.equal(broken.stdout, "packages/core/src/model/a.ts:1: model must not import engine (../engine/a.ts)\n");
  const sound = run(plant(context, "packages/core/src/model/a.ts", `import "../errors/a.ts";\n`));
  assert.equal(sound.status, 0, sound.stdout + sound.stderr);
});

/** A tree with this one file; removed after the test. */
function plant(context: TestContext, file: string, source: string): string {
  const root = mkdtempSync(join(tmpdir(), "ctrlplane-layers-"));
  context.after(() => rmSync(root, { recursive: true }));
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), source);
  return root;
}
