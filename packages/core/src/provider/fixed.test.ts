import assert from "node:assert/strict";
import { test } from "node:test";
import type { Redactor } from "../errors/redaction.ts";
import { revisionOf } from "../model/hash.ts";
import { release } from "../rollout/samples.test.support.ts";
import { guardProvider } from "./guard.ts";
import type { Provider } from "./provider.ts";
import { releaseForScale } from "./release-variants.ts";

const { spec, image } = release(1, "one");

test("what a running replica cannot change counts for its hash, and only where a provider names it", () => {
  const plain = revisionOf(spec, image);
  const published = revisionOf(spec, image, 0, { published: [8080] });
  assert.equal(plain.replicaHash, release(2, "one").revision.replicaHash);
  assert.notEqual(published.replicaHash, plain.replicaHash);
  assert.notEqual(revisionOf(spec, image, 0, { published: [8081] }).replicaHash, published.replicaHash);
  assert.equal(revisionOf(spec, image, 0, { published: [8080] }).replicaHash, published.replicaHash);
});

test("other resources leave it as it was", () => {
  const fixed = { published: [8080] };
  const served = { ...release(1, "one"), revision: revisionOf(spec, image, 0, fixed) };
  const scaled = releaseForScale(served, { memoryMb: 64 });
  assert.deepEqual(scaled.revision.fixed, fixed);
  assert.equal(releaseForScale(scaled, {}).revision.replicaHash, scaled.revision.replicaHash);
});

test("a guarded provider says what its own says, and nothing where that says nothing", () => {
  const redactor: Redactor = { add: () => undefined, redact: (text) => text };
  const guarded = (provider: Partial<Provider>) => guardProvider(provider as Provider, { name: "vps1", redactor });
  const own = guarded({ fixed: ({ service }) => ({ service }) });
  assert.deepEqual(own.fixed?.(spec), { service: "web" });
  assert.equal(guarded({}).fixed, undefined);
});
