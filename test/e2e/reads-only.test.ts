import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { eventually, Project } from "./fixture.ts";
import { deedsIn, hasStrace, traceable, traceInto } from "./traced.ts";
import { listTree } from "./tree-listing.ts";

const reading = [
  ["check"],
  ["plan"],
  ["plan", "--json"],
  ["plan", "--refresh"],
  ["config"],
  ["status"],
  ["history"],
  ["providers"],
  ["state", "show"],
  ["logs", "web"],
  ["local", "status"],
  ["doctor"],
  ["schema"],
];

/** Runs each, and expects every byte, mode and time of project, data folder and home (its cache apart) as it was, and the same processes. */
async function readsLeaveNoTrace(project: Project, commands: readonly (readonly string[])[]): Promise<void> {
  const look = (): unknown => ({
    project: listTree(project.folder, [".pctl"]),
    data: listTree(project.root, ["project", "home/.cache"]),
    processes: project.processes().map(({ pid, startTime, role }) => `${role} ${pid} ${startTime}`),
  });
  mkdirSync(join(project.home, ".cache"), { recursive: true });
  const before = look();
  for (const words of commands) {
    await project.expect(0, words);
    assert.deepEqual(look(), before, `pctl ${words.join(" ")} left a trace`);
  }
}

/** Runs it under `strace`: what it did beyond reading, its caches apart. */
async function deedsOf(project: Project, words: readonly string[]): Promise<string[]> {
  const trace = join(project.root, "trace");
  await project.expect(0, words, { under: traceInto(trace), env: traceable });
  const cache = join(project.folder, ".pctl");
  const compiled = join(project.home, ".cache");
  return deedsIn(trace, (path) => {
    const isIn = (folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
    // The copy of the state file lies there as well: no cache.
    return (isIn(cache) && !isIn(join(cache, "state"))) || isIn(compiled);
  });
}

const isTraced = hasStrace();

describe("commands that only look", { concurrency: true }, () => {
  test("before anything was deployed", async () => {
    await using project = await Project.withServer({ version: "v1" });
    await readsLeaveNoTrace(project, [
      ["check"],
      ["plan"],
      ["plan", "--json"],
      ["config"],
      ["status"],
      ["history"],
      ["providers"],
    ]);
    assert.deepEqual(project.processes(), []);
  });

  test("while services run, and a change is pending", async () => {
    await using project = await Project.withServer({ version: "v1" }, ["scale: { replica: 2 }"]);
    await project.ok("deploy");
    await settled(project);
    await readsLeaveNoTrace(project, reading);
    await project.change({ version: "v2" });
    await readsLeaveNoTrace(project, [["plan"], ["plan", "--refresh"]]);
    assert.deepEqual(await project.versions(), ["v1"]);
  });

  test("without the supervisor", async () => {
    await using project = await Project.withServer({ version: "v1" }, ["scale: { replica: 2 }"]);
    await project.ok("deploy");
    await settled(project);
    process.kill(project.only("supervisor").pid, "SIGKILL");
    await eventually("the supervisor ended", () => !project.processes().some(({ role }) => role === "supervisor"));
    await readsLeaveNoTrace(project, reading);
    assert.deepEqual(await project.versions(), ["v1"]);
  });

  test("a plan by its system calls: no file opened for writing, no connection, no process", async (t) => {
    if (!isTraced) return t.skip("missing: strace");
    await using project = await Project.withServer({ version: "v1" }, ["scale: { replica: 2 }"]);
    await project.ok("deploy");
    await project.change({ version: "v2" });
    for (const words of [["plan"], ["plan", "--json"], ["plan", "--refresh"]])
      assert.deepEqual(await deedsOf(project, words), [], words.join(" "));
    assert.deepEqual(await project.versions(), ["v1"]);
    const deeds = (await deedsOf(project, ["deploy"])).join("\n");
    // Controls: of a deploy each kind is seen.
    assert.match(deeds, /openat\(.*\/ledger\/.*O_(WRONLY|RDWR)/);
    assert.match(deeds, /rename.*\/local\//);
    assert.match(deeds, /connect\(.*AF_UNIX/);
    const started = (await deedsOf(project, ["exec", "web", "true"])).join("\n");
    assert.match(started, /execve\(|clone/);
  });

  test("control: what a deploy changes is seen", async () => {
    await using project = await Project.withServer({ version: "v1" });
    await assert.rejects(readsLeaveNoTrace(project, [["deploy"]]), /pctl deploy left a trace/);
    await settled(project);
    await assert.rejects(readsLeaveNoTrace(project, [["exec", "web", "touch", "new"]]), /left a trace/);
  });
});

/** Supervisor and logs are at rest. */
async function settled(project: Project): Promise<void> {
  let last = "";
  let since = performance.now();
  await eventually("nothing was written for a second", () => {
    const now = JSON.stringify(listTree(project.dataFolder));
    if (now !== last) since = performance.now();
    last = now;
    return performance.now() - since > 1000;
  });
}
