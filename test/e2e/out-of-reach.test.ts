import assert from "node:assert/strict";
import { test } from "node:test";
import { Project } from "./fixture.ts";

const problem = "no Docker Engine answers at unix:///run/nobody.sock";

/** `web` on this machine, and `db` on an engine that is not there. */
async function twoPlaces(services: readonly string[]): Promise<Project> {
  const project = await Project.create();
  await project.write({
    "pctl.yaml": [
      "name: two",
      "provider: far",
      "providers: { here: { type: local }, far: { type: docker, options: { socket: /run/nobody.sock } } }",
      "services:",
      ...services,
      "",
    ].join("\n"),
    "web/hello.txt": "hello",
  });
  return project;
}

const web =
  '  web: { image: ./web, provider: here, command: [sh, -c, "echo up; exec sleep 1000"], strategy: recreate }';
const db = "  db: { image: busybox, protect: true }";

test("a platform that cannot be asked: nothing is said to be not there, and what to do stands below it", async () => {
  await using project = await twoPlaces([db]);
  const ends = async (code: number, ...words: string[]): Promise<string> => {
    const outcome = await project.pctl(words);
    const said = outcome.stdout + outcome.stderr;
    assert.equal(outcome.code, code, `${words.join(" ")}: ${said}`);
    assert.ok(said.includes(problem), `${words.join(" ")}: ${said}`);
    assert.match(said, /^ *help: Is it running\?/m, words.join(" "));
    return said;
  };
  assert.match(
    await ends(4, "plan"),
    /^ {2}\? db +far cannot be reached\n {2}1 unreachable\n[^]*\nNext: pctl doctor$/m,
  );
  await ends(4, "plan", "--exit-code");
  assert.match(await ends(4, "deploy", "--yes"), /db: far cannot be reached \(UNAVAILABLE\)/);
  assert.match(await ends(4, "status"), /^two: what was changed last is not known$/m);
  for (const words of [
    ["history"],
    ["history", "1"],
    ["logs"],
    ["logs", "db"],
    ["rollback", "--yes"],
    ["promote", "db"],
    ["abort"],
  ])
    await ends(4, ...words);
});

test("one of two platforms cannot be asked: the other is shown, and that it is not all", async () => {
  await using project = await twoPlaces([web, db]);
  assert.match(
    await project.expect(4, ["deploy", "--yes"]),
    /db: far cannot be reached \(UNAVAILABLE\): no Docker Engine/,
  );
  assert.match(await project.expect(4, ["plan"]), /= web [^]*\? db +far cannot be reached[^]*help: Is it running/);
  assert.match(
    await project.expect(4, ["status"]),
    /^two: change #1 [^]*web +here +serving [^]*unreachable: db on far: no Docker/,
  );
  const history = await project.expect(4, ["history"]);
  assert.match(history, /^#1 [^]*unreachable: far: .*; what was changed there alone is not listed\n {2}help: /m);
  const lines = await project.ok("logs");
  assert.ok(lines.includes(`far cannot be reached: ${problem}`) && /^web +\| up$/m.test(lines), lines);
  assert.equal((await project.ok("logs", "web")).trim(), "up");
});
