import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import { completeReference, familiarName, parseReference } from "./reference.ts";

const digest = `sha256:${"0a".repeat(32)}`;

/** As written, in full, the short name. */
const cases: readonly (readonly [written: string, full: string, familiar: string])[] = [
  ["postgres", "docker.io/library/postgres:latest", "postgres"],
  ["postgres:17", "docker.io/library/postgres:17", "postgres"],
  [`postgres@${digest}`, `docker.io/library/postgres@${digest}`, "postgres"],
  [`postgres:17@${digest}`, `docker.io/library/postgres:17@${digest}`, "postgres"],
  ["library/ubuntu", "docker.io/library/ubuntu:latest", "ubuntu"],
  ["docker.io/ubuntu", "docker.io/library/ubuntu:latest", "ubuntu"],
  ["index.docker.io/library/ubuntu", "docker.io/library/ubuntu:latest", "ubuntu"],
  ["docker.io/library/foo/bar", "docker.io/library/foo/bar:latest", "library/foo/bar"],
  ["fooo/bar:V1.0", "docker.io/fooo/bar:V1.0", "fooo/bar"],
  ["localhost/fooo", "localhost/fooo:latest", "localhost/fooo"],
  ["LOCALDOMAIN/fooo/bar", "LOCALDOMAIN/fooo/bar:latest", "LOCALDOMAIN/fooo/bar"],
  [`localhost:5000/a/b@${digest}`, `localhost:5000/a/b@${digest}`, "localhost:5000/a/b"],
  ["192.168.0.1:80", "docker.io/library/192.168.0.1:80", "192.168.0.1"],
  ["[fc00::1]:5000/docker:1", "[fc00::1]:5000/docker:1", "[fc00::1]:5000/docker"],
  ["dock__er/dock---er", "docker.io/dock__er/dock---er:latest", "dock__er/dock---er"],
  ["example.com/privatebase", "example.com/privatebase:latest", "example.com/privatebase"],
];

describe("references", () => {
  for (const [written, full, familiar] of cases) {
    test(written, () => {
      const reference = parseReference(written);
      assert.equal(completeReference(reference), full);
      assert.equal(familiarName(reference), familiar);
      assert.deepEqual(parseReference(full).domain, reference.domain);
    });
  }
});

test("what is no reference", () => {
  const wrong = ["", "docker/Docker", "-docker/docker", "docker///docker", "docker/", "dock..er/docker", "dock_.er/x"];
  const more = ["https://github.com/docker/docker", "[fc00::1]", "fc00::1:5000/debian", "a:b:c", "a@sha256:12", "A"];
  for (const each of [...wrong, ...more, "1a".repeat(32), `${"a/".repeat(128)}a`, "a b", "./web"]) {
    assert.throws(
      () => parseReference(each),
      (error) => isCtrlPlaneError(error) && error.code === "INVALID",
      each,
    );
  }
});
