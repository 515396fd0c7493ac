import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseDocument } from "yaml";
import { createRedactor } from "../errors/redaction.ts";
import { parsePath } from "./field-path.ts";
import { runPipeline } from "./pipeline.ts";
import type { PipelineResult } from "./pipeline.ts";

interface Vector {
  readonly name: string;
  readonly files: Readonly<Record<string, string | { readonly base64: string }>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly arguments: readonly string[];
  readonly fingerprints: Readonly<Record<string, string>>;
}

// The file is ours and has this shape.
const vectors = JSON.parse(
  readFileSync(new URL("../../test-data/pctl-1.1-fingerprints.json", import.meta.url), "utf8"),
) as readonly Vector[];

describe("fingerprints that pctl 1.1 computed", () => {
  let folder = "";
  before(() => (folder = mkdtempSync(join(tmpdir(), "pctl-fingerprints-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  test("there are 111 of them", () => {
    assert.equal(vectors.flatMap((each) => Object.keys(each.fingerprints)).length, 111);
  });

  for (const vector of vectors) {
    test(vector.name, async () => {
      const home = join(folder, vector.name);
      for (const [path, content] of Object.entries(vector.files)) {
        mkdirSync(dirname(join(home, path)), { recursive: true });
        writeFileSync(join(home, path), typeof content === "string" ? content : Buffer.from(content.base64, "base64"));
      }
      const file = option(vector, "-c") ?? "pctl.yaml";
      const text = readFileSync(join(home, file), "utf8");
      assert.deepEqual(named(vector, await load(vector, text, join(home, dirname(file)))), vector.fingerprints);
      const clean = await withoutUnknownKeys(vector, text, join(home, dirname(file)));
      assert.deepEqual(named(vector, clean), vector.fingerprints);
    });
  }
});

test("a stack carries its fingerprints, and which fields they say nothing about", async () => {
  const yaml = `name: a\nservices:\n  web:\n    image: nginx\n    scale: { replica: 1 }\n    provider: docker\n    volumes: [{ path: /data, name: shared }]\n    health: { command: "true", interval: 5, timeout: 3 }\n`;
  const vector = { name: "", files: {}, environment: {}, arguments: [], fingerprints: {} };
  const { parsed } = await load(vector, yaml, tmpdir());
  assert.match(parsed.stack?.services["web"]?.fingerprint ?? "", /^[0-9a-f]{64}$/);
  assert.deepEqual(parsed.stack?.services["web"]?.ignoredBy11, ["health.timeout", "volumes[0].name"]);
});

const beyond: readonly (readonly [string, string])[] = [
  ["a number in env, which 1.1 refused", "env: { PORT: 3000 }"],
  ["a command as a list", "command: [node, server.js]"],
  ["a secret", "env: { A: '${secret:TOKEN}' }"],
  ["secrets", "secrets: [TOKEN]"],
  ["wiring", "env: { A: '${service:web.host}' }"],
  ["a merge in env", "env: { <<: { A: b } }"],
];
for (const [what, field] of beyond) {
  test(`what 1.1 could not express has no fingerprint: ${what}`, async () => {
    const yaml = `name: a\nservices:\n  web:\n    image: nginx\n    scale: { replica: 1 }\n    provider: docker\n    ${field}\n`;
    const vector = { name: "", files: {}, environment: { TOKEN: "hunter2" }, arguments: [], fingerprints: {} };
    const { parsed, fingerprints } = await load(vector, yaml, tmpdir());
    assert.deepEqual(parsed.diagnostics, []);
    assert.equal(fingerprints.size, 0);
  });
}

function load(vector: Vector, text: string, folder: string): Promise<PipelineResult> {
  const name = option(vector, "--name");
  return runPipeline(text, {
    cwd: folder,
    folder,
    file: "pctl.yaml",
    env: vector.environment,
    redactor: createRedactor(),
    purpose: "deploy",
    providerTypes: [{ type: "docker" }, { type: "eks", aliases: ["aws"] }, { type: "gke", aliases: ["gcp"] }],
    ...(name === undefined ? {} : { name }),
  });
}

async function withoutUnknownKeys(vector: Vector, text: string, folder: string): Promise<PipelineResult> {
  const { parsed } = await load(vector, text, folder);
  const document = parseDocument(text, { version: "1.2" });
  for (const each of parsed.diagnostics) {
    // What a plugin left does not stand in the file.
    if (each.code === "unknown-key" && each.detail?.includes("plugin") !== true)
      document.deleteIn(parsePath(each.field ?? ""));
  }
  return load(vector, document.toString(), folder);
}

function named(vector: Vector, { fingerprints }: PipelineResult): Record<string, string> {
  const [first = ""] = Object.keys(vector.fingerprints);
  // Keys of the vectors are `{stack}-{service}`.
  const stack = [...fingerprints.keys()]
    .map((service) => first.slice(0, -service.length - 1))
    .find((each, index) => first === `${each}-${[...fingerprints.keys()][index] ?? ""}`);
  return Object.fromEntries([...fingerprints].map(([service, value]) => [`${stack ?? "?"}-${service}`, value]));
}

function option(vector: Vector, name: string): string | undefined {
  const index = vector.arguments.indexOf(name);
  return index < 0 ? undefined : vector.arguments[index + 1];
}
