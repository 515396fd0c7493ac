import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { EngineError } from "../engine/errors.ts";
import { mapRegistryError } from "./errors.ts";
import { repositoryIn } from "./repository.ts";
import { transferCounter } from "./transfer-progress.ts";

/** What engines 20.10 to 28 say, and what it means. */
const said: readonly (readonly [message: string, code: string, retryable?: boolean])[] = [
  [
    "pull access denied for a/b, repository does not exist or may require 'docker login': denied: requested access",
    "NOT_FOUND",
  ],
  ["manifest for localhost:5000/a:1 not found: manifest unknown: manifest unknown", "NOT_FOUND"],
  ["no matching manifest for linux/arm64/v8 in the manifest list entries", "NOT_FOUND"],
  ["An image does not exist locally with the tag: localhost:5000/a", "NOT_FOUND"],
  ['Head "http://localhost:5000/v2/a/manifests/1": no basic auth credentials', "UNAUTHORIZED"],
  ["unauthorized: authentication required", "UNAUTHORIZED"],
  ['Get "https://a/v2/": unauthorized: incorrect username or password', "UNAUTHORIZED"],
  ["denied: requested access to the resource is denied", "UNAUTHORIZED"],
  ["toomanyrequests: You have reached your pull rate limit", "RATE_LIMITED", true],
  ['Get "https://a/v2/": dial tcp: lookup a on 10.0.0.1:53: no such host', "UNAVAILABLE", true],
  ['Get "http://localhost:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused', "UNAVAILABLE", true],
  ["received unexpected HTTP status: 503 Service Unavailable", "UNAVAILABLE", true],
  ["x509: certificate signed by unknown authority", "UNAVAILABLE"],
  ["write /var/lib/docker/tmp/x: no space left on device", "QUOTA"],
  ["what nobody has heard of", "INTERNAL"],
];

describe("what a registry refuses", () => {
  for (const [message, code, retryable = false] of said) {
    test(message, () => {
      const error = mapRegistryError(new EngineError(500, message), "pulling a", "IMAGE_PULL");
      assert.deepEqual([error.code, error.retryable], [code, retryable]);
      if (code !== "QUOTA" && code !== "INTERNAL") assert.equal(error.failure?.verdict, "IMAGE_PULL");
    });
  }
  test("what is ours already stays", () => {
    const error = new CtrlPlaneError("CANCELLED", "no");
    assert.equal(mapRegistryError(error, "x"), error);
  });
});

test("a transfer is counted over its layers", () => {
  const count = transferCounter();
  assert.equal(count({ status: "Pulling from library/postgres", id: "17" }), undefined);
  count({ status: "Already exists", id: "a" });
  count({ status: "Pulling fs layer", id: "b" });
  const half = count({ status: "Downloading", id: "b", progressDetail: { current: 50, total: 100 } });
  assert.deepEqual(half, { done: 1, layers: 2, bytes: 50, totalBytes: 100 });
  count({ status: "Download complete", id: "b" });
  const unpacking = count({ status: "Extracting", id: "b", progressDetail: { current: 3, total: 300 } });
  assert.deepEqual(unpacking, { done: 1, layers: 2, bytes: 100, totalBytes: 100 });
  assert.deepEqual(count({ status: "Pull complete", id: "b" }), { done: 2, layers: 2, bytes: 100, totalBytes: 100 });
});

test("a registry with a path is the repository, as in pctl 1.1; a host alone gets the service's name", () => {
  assert.equal(
    repositoryIn({ url: "https://registry.example.com/team/app/" }, "shop-web"),
    "registry.example.com/team/app",
  );
  assert.equal(
    repositoryIn({ url: "https://registry.example.com:5000" }, "shop-web"),
    "registry.example.com:5000/shop-web",
  );
  assert.throws(() => repositoryIn({ url: "https://registry.example.com/Team" }, "a"), { code: "INVALID" });
});
