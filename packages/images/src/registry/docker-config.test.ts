import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { loginForEngine, loginHeaders } from "./login.ts";
import { findLogin } from "./logins.ts";
import { withLogin } from "./transfer.ts";

async function workbench(t: TestContext, config?: object) {
  const folder = await mkdtemp(join(tmpdir(), "ctrlplane-config-"));
  t.after(() => rm(folder, { recursive: true }));
  if (config !== undefined) await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const env = { DOCKER_CONFIG: folder, PATH: `${folder}:/usr/bin:/bin` };
  const helper = (name: string, script: string) =>
    writeFile(join(folder, `docker-credential-${name}`), `#!/bin/sh\ncd ${folder}\n${script}\n`, { mode: 0o755 });
  return { folder, env, helper };
}

const password = (username: string, word: string) => ({ kind: "password", username, password: word });
const basic = (text: string) => ({ auth: Buffer.from(text).toString("base64") });

test("logins in the file are found by host, however docker wrote them", async (t) => {
  const auths = {
    "https://index.docker.io/v1/": basic("hub:a:b"),
    "localhost:5000": basic("me:geheim\0\0"),
    "https://registry.example.com/v2/": { username: "plain", password: "word" },
    "token.example.com": { ...basic("me:x"), identitytoken: "T" },
    "empty.example.com": {},
  };
  const { env } = await workbench(t, { auths });
  const find = findLogin(undefined, env);
  assert.deepEqual(await find("docker.io"), password("hub", "a:b"));
  assert.deepEqual(await find("registry-1.docker.io"), password("hub", "a:b"));
  assert.deepEqual(await find("localhost:5000"), password("me", "geheim"));
  assert.deepEqual(await find("registry.example.com"), password("plain", "word"));
  assert.deepEqual(await find("token.example.com"), { kind: "token", identityToken: "T" });
  for (const none of ["empty.example.com", "other.example.com", "constructor"])
    assert.equal(await find(none), undefined);
});

test("what the user declared comes first, for its registry alone", async (t) => {
  const { env } = await workbench(t, { auths: { "a.example.com": basic("file:1"), "b.example.com": basic("file:2") } });
  const find = findLogin({ url: "https://a.example.com/team/app", username: "me", password: "mine" }, env);
  assert.deepEqual(await find("a.example.com"), password("me", "mine"));
  assert.deepEqual(await find("b.example.com"), password("file", "2"));
  assert.deepEqual(await findLogin({ url: "a.example.com" }, env)("a.example.com"), password("file", "1"));
});

test("no file is no login, a damaged one is told", async (t) => {
  const { env, folder } = await workbench(t);
  assert.equal(await findLogin(undefined, env)("docker.io"), undefined);
  await writeFile(join(folder, "config.json"), "{");
  await assert.rejects(
    findLogin(undefined, env)("docker.io"),
    (error) => isCtrlPlaneError(error) && error.code === "INVALID",
  );
});

test("helpers get the registry on their input; the one for a registry comes before the store for all", async (t) => {
  const { folder, env, helper } = await workbench(t, {
    auths: { "b.example.com": basic("file:2") },
    credsStore: "store",
    credHelpers: {
      "a.example.com": "own",
      "none.example.com": "none",
      "broken.example.com": "broken",
      "gone.example.com": "gone",
    },
  });
  await helper("own", `cat >asked; echo "$@" >>asked; echo '{"ServerURL":"x","Username":"me","Secret":"ge\\"heim"}'`);
  await helper("store", `cat >/dev/null; echo '{"Username":"<token>","Secret":"T"}'`);
  await helper("none", `echo "credentials not found in native keychain"; exit 1`);
  await helper("broken", `echo "no keychain"; exit 1`);
  const find = findLogin(undefined, env);
  assert.deepEqual(await find("a.example.com"), password("me", 'ge"heim'));
  assert.equal(await readFile(join(folder, "asked"), "utf8"), "a.example.comget\n");
  assert.deepEqual(await find("b.example.com"), { kind: "token", identityToken: "T" });
  assert.equal(await find("none.example.com"), undefined);
  const refused = (word: RegExp) => (error: unknown) =>
    isCtrlPlaneError(error) && error.code === "UNAUTHORIZED" && word.test(error.message);
  await assert.rejects(find("broken.example.com"), refused(/docker-credential-broken .*no keychain/));
  await assert.rejects(find("gone.example.com"), refused(/docker-credential-gone .*ENOENT/));

  // A public image needs none of this.
  assert.equal(await withLogin("gone.example.com", find, (headers) => Promise.resolve(Object.keys(headers).length)), 0);
});

test("headers as the engine wants them", () => {
  const login = { kind: "password", username: "ü", password: "???>>>" } as const;
  const header = loginHeaders(login, "docker.io")["X-Registry-Auth"] ?? "";
  assert.match(header, /^[\w-]+=*$/);
  assert.equal(header.length % 4, 0);
  const sent: unknown = JSON.parse(Buffer.from(header, "base64url").toString());
  assert.deepEqual(sent, { username: "ü", password: "???>>>", serveraddress: "https://index.docker.io/v1/" });
  assert.deepEqual(loginForEngine({ kind: "token", identityToken: "T" }, "a.example.com"), {
    identitytoken: "T",
    serveraddress: "a.example.com",
  });
  assert.deepEqual(loginHeaders(undefined, "docker.io"), {});
});
