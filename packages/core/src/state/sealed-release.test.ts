import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { sha256 } from "../model/hash.ts";
import { openRelease, sealRelease } from "./sealed-release.ts";
import { createSealer } from "./sealing.ts";
import { sampleRelease } from "./testing/samples.ts";

const secret = "s3cr3t-value";
const file = {
  path: "/etc/app.conf",
  source: "/srv/shop/app.conf",
  digest: sha256(secret),
  contentBase64: Buffer.from(secret).toString("base64"),
};
const release = sampleRelease({
  spec: {
    env: { PASSWORD: secret, PORT: "3000", EMPTY: "", MULTI: `a\n"${secret}" 🚀` },
    secretEnv: ["PASSWORD"],
    files: [file],
    registry: { url: "https://registry.example.com", username: "ana", password: secret },
    tls: { cert: "-----BEGIN CERTIFICATE-----", key: secret },
    image: { kind: "build", build: { context: "/srv/shop", args: { TOKEN: secret }, secrets: [] } },
    providerOptions: { cluster: "c", credentials: { secret_access_key: secret } },
  },
});

describe("sealRelease", () => {
  const sealer = createSealer(randomBytes(32));

  it("leaves no secret value readable, in no form", () => {
    const text = JSON.stringify(sealRelease(release, sealer));
    for (const form of [secret, Buffer.from(secret).toString("base64"), encodeURIComponent(`"${secret}"`)]) {
      assert.ok(
        JSON.stringify(release).includes(form) || form.startsWith("%"),
        "the scan would find it in the plain release",
      );
      assert.ok(!text.includes(form), form);
    }
  });

  it("opens to an equal release", () => {
    const stored = JSON.parse(JSON.stringify(sealRelease(release, sealer)));
    assert.deepEqual(openRelease(stored, sealer), { release, opened: true });
  });

  it("keeps an environment of the revision that differs from the spec's", () => {
    const other = { ...release, revision: { ...release.revision, env: { PORT: "41873" } } };
    assert.deepEqual(openRelease(sealRelease(other, sealer), sealer).release.revision.env, { PORT: "41873" });
  });

  it("reads without the key, all but the values", () => {
    const { release: read, opened, problem } = openRelease(sealRelease(release, sealer), createSealer(randomBytes(32)));
    assert.equal(opened, false);
    assert.match(String(problem), /sealed with key/);
    assert.deepEqual(Object.keys(read.spec.env), ["PASSWORD", "PORT", "EMPTY", "MULTI"]);
    assert.ok(Object.values(read.spec.env).every((value) => value === "••••••"));
    assert.equal(read.spec.registry?.username, "ana");
    assert.equal(read.specHash, release.specHash);
    assert.deepEqual(read.spec.files, [{ ...file, contentBase64: "" }]);
  });

  it("does not open in the place of another release", () => {
    const moved = { ...sealRelease(release, sealer), release: { ...release, number: 2 } };
    assert.throws(() => openRelease(moved, sealer), { code: "INVALID" });
  });

  it("leaves absent what was absent", () => {
    const plain = sampleRelease();
    assert.deepEqual(openRelease(sealRelease(plain, sealer), sealer).release, plain);
  });
});
