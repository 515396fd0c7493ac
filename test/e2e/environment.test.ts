import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Project } from "./fixture.ts";

/** Each holds a mark of its own, by which a leak is told. */
const values: Record<string, string> = {
  LINES: "mark-lines\nsecond line\r\n\ttab, then two ends\n\n",
  QUOTES: `mark-quotes ' " \\ \\n \` '' ""`,
  SHELL: "mark-shell $(touch x) `touch y`; touch z & | > w $HOME ${HOME} $$ %s !! *",
  EMOJI: "mark-emoji 🦊 é e\u0301 漢字 \u202e\u0001\u007f",
  JSON: '{"mark-json": "a\\"b", "n": 1.10, "nothing": null}',
  SPACES: "  mark-spaces  ",
  EQUALS: "=mark-equals=a=b",
  LARGE: `mark-large ${"0123456789abcdef".repeat(6400)}`,
  EMPTY: "",
};
const planted = "mark-planted-control";

/** Every value arrives byte for byte, and is nowhere to be read by who has no key. */
test("environments are exact, and secret", async () => {
  const names = Object.keys(values);
  await using project = await Project.withServer({ version: "v1" }, [`secrets: [${names.join(", ")}]`]);
  const env = { ...values };
  const said = [
    await project.expect(0, ["plan"], { env }),
    await project.expect(0, ["plan", "--json"], { env }),
    await project.expect(0, ["config"], { env }),
    await project.expect(0, ["config", "--json"], { env }),
    await project.expect(0, ["deploy", "--json", "--debug"], { env }),
  ];
  const { env: seen } = await project.ask("/env");
  for (const [name, value] of Object.entries(values)) assert.equal(seen[name], value, name);
  for (const [name, value] of Object.entries(values)) {
    const { stdout } = await project.pctl([
      "exec",
      "web",
      process.execPath,
      "-p",
      `JSON.stringify(process.env.${name})`,
    ]);
    assert.equal(JSON.parse(stdout), value, `${name} in exec`);
    const run = await project.pctl(["run", "web", "--", process.execPath, "-p", `JSON.stringify(process.env.${name})`]);
    assert.equal(JSON.parse(run.stdout), value, `${name} in run: ${run.stderr}`);
  }
  assert.deepEqual(readdirSync(project.folder).toSorted(), [".pctl", "pctl.shop.json", "pctl.yaml", "web"]);

  await project.change({ version: "v2", crashes: true });
  said.push(await project.expect(3, ["deploy"], { env }));
  for (const words of [
    ["status"],
    ["status", "--json"],
    ["history"],
    ["history", "2"],
    ["state", "show", "--json"],
    ["logs", "web"],
  ])
    said.push(await project.ok(...words));
  await project.ok("rollback", "web", "--to", "1", "--yes");
  assert.equal((await project.ask("/env")).env["LARGE"], values["LARGE"]);

  const marks = (text: string): string[] => text.match(/mark-[a-z]+/g) ?? [];
  assert.deepEqual(said.flatMap(marks), [], "in what pctl printed");
  assert.deepEqual(
    project.processes().flatMap(({ argv }) => marks(argv.join(" "))),
    [],
    "in arguments",
  );
  const leaks = filesBelow(project.root).filter((file) => marks(readFileSync(file, "latin1")).length > 0);
  assert.deepEqual(leaks, [], "in files");

  // Control: a value that is in the file is found by the same search.
  await project.write({ "web/planted.txt": planted });
  assert.equal(filesBelow(project.root).filter((file) => marks(readFileSync(file, "latin1")).length > 0).length, 1);
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}
