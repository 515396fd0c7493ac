import assert from "node:assert/strict";
import { test } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { parseEngineUrl } from "./engine-url.ts";

test("addresses", () => {
  const parse = (text: string) => parseEngineUrl(text, "DOCKER_HOST", false);
  assert.deepEqual(parse("10.0.0.5:2375"), { kind: "tcp", host: "10.0.0.5", port: 2375 });
  assert.deepEqual(parse("tcp://[::1]:99/"), { kind: "tcp", host: "::1", port: 99 });
  assert.deepEqual(parse("https://a"), { kind: "tcp", host: "a", port: 2376, tls: {} });
  assert.deepEqual(parse("ssh://a"), { kind: "ssh", host: "a", sudo: false });
  for (const wrong of [
    "unix://a",
    "tcp://",
    "tcp://a/b",
    "tcp://a:0",
    "ssh://-oX@a",
    "ssh://a b",
    "fd://",
    "ssh://a/run/x",
  ]) {
    assert.throws(() => parse(wrong), isInvalid, wrong);
  }
  assert.throws(
    () => parse("ssh://ada:hidden@a"),
    (error) => isInvalid(error) && !/hidden/.test(String(error)),
  );
  assert.throws(() => parse("npipe:////./pipe/docker_engine"), /Windows/);
});

function isInvalid(error: unknown): boolean {
  return isCtrlPlaneError(error) && error.code === "INVALID";
}
