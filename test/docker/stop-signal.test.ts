import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Project } from "../e2e/fixture.ts";
import { dockerSocket } from "../engines/docker.ts";

const socket = await dockerSocket();
const options = { skip: socket === undefined ? "missing: Docker Engine" : false, timeout: 300_000 };

const dockerfile = `FROM busybox
STOPSIGNAL SIGINT
CMD ["sh", "-c", "trap 'echo got INT; exit 0' INT; trap 'echo got TERM; exit 0' TERM; echo up; sleep 100000 & wait"]
`;

test("a container ends by the signal of its image, or by the one that is declared", options, async () => {
  await using project = await Project.create();
  const write = (word: string, stop: string): Promise<void> =>
    project.write({
      "pctl.yaml": `
name: stop${suffix}
provider: here
providers: { here: { type: docker, options: { socket: ${socket} } } }
services:
  app: { image: ./app, env: { WORD: ${word} }${stop} }
`,
      "app/Dockerfile": dockerfile,
    });
  const suffix = randomBytes(4).toString("hex");
  try {
    await write("one", "");
    await project.ok("deploy", "--yes");
    await write("two", "");
    await project.ok("deploy", "--yes");
    assert.match(await project.ok("logs", "app", "--change", "1"), /got INT/);

    // Its own container was made without it.
    await write("two", ", stop: { signal: SIGTERM }");
    await project.ok("deploy", "--yes");
    await write("three", ", stop: { signal: SIGTERM }");
    await project.ok("deploy", "--yes");
    assert.match(await project.ok("logs", "app", "--change", "2"), /got TERM/);
  } finally {
    await project.ok("destroy", "--yes");
  }
});
