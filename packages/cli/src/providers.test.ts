import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isCtrlPlaneError, type CtrlPlaneError, type Provider } from "@ctrlplane/core";
import { resolveProvider } from "./providers.ts";

const factory = `export const provider = {
  type: "mine",
  checkOptions: ({ zone }) => zone === undefined ? [{ severity: "error", code: "missing", summary: "zone is missing", field: "options.zone" }] : [],
  create: (options, { name }) => ({ type: "mine", made: name + " in " + options.zone }),
};`;

describe("providers of the user's own", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pctl-providers-"));
    await writeFile(join(folder, "mine.mjs"), factory);
    await writeFile(join(folder, "empty.mjs"), "");
  });
  after(() => rm(folder, { recursive: true }));

  function make(type: string, options: Readonly<Record<string, unknown>> = {}): Promise<Provider | undefined> {
    const range = { start: { line: 3, column: 5 }, end: { line: 3, column: 9 } };
    return resolveProvider({ name: "vm", type, options, accept: [] }, folder, () => ({ path: "pctl.yaml", range }));
  }

  async function refusal(type: string, options?: Readonly<Record<string, unknown>>): Promise<CtrlPlaneError> {
    const error: unknown = await make(type, options).then(
      () => assert.fail("made"),
      (reason: unknown) => reason,
    );
    assert.ok(isCtrlPlaneError(error), String(error));
    return error;
  }

  test("a path is relative to the configuration's folder", async () => {
    assert.deepEqual(await make("./mine.mjs", { zone: "a" }), { type: "mine", made: "vm in a" });
  });

  test("options that it refuses are diagnostics with a position", async () => {
    const { code, diagnostics } = await refusal("./mine.mjs");
    assert.equal(code, "INVALID");
    assert.deepEqual(
      diagnostics.map(({ field, path, summary }) => ({ field, path, summary })),
      [{ field: "providers.vm.options.zone", path: "pctl.yaml", summary: "zone is missing" }],
    );
  });

  test("a module that is not there, or is no provider, is refused by name", async () => {
    assert.match((await refusal("./nothing.mjs")).message, /^the provider \.\/nothing\.mjs cannot be loaded: /);
    assert.match((await refusal("@acme/nothing")).message, /^the provider @acme\/nothing cannot be loaded: /);
    assert.match((await refusal("./empty.mjs")).message, /is no provider: it exports no factory/);
  });

  test("a type that nobody knows is left to the engine to refuse", async () => {
    assert.equal(await make("dockr"), undefined);
  });
});
