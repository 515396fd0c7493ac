import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, Project } from "./fixture.ts";
import { randomFrom } from "./random.ts";
import { isSoak } from "./soak.ts";

const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/** Runs come by the second, on a machine that may have a lot else to do. */
const inTime = (what: string, isTrue: () => boolean | Promise<boolean>) => eventually(what, isTrue, 60_000);

/** Its effect is two lines, `begin` and `end` of the version. */
const script = (version: string, code = 0): string =>
  `echo "begin ${version}" >> data/effects\nsleep 0.2\necho "end ${version}" >> data/effects\necho "said ${version}"\nexit ${code}\n`;

function declaration(cron: string, more = ""): string {
  return [
    "name: shop",
    "provider: local",
    "services:",
    "  report:",
    "    image: ./report",
    "    kind: job",
    "    command: [sh, ./run]",
    `    schedule: "${cron}"`,
    "    volumes: [{ path: data, name: effects }]",
    more,
  ].join("\n");
}

function effects(project: Project): string[] {
  const volumes = join(project.dataFolder, "volumes");
  if (!existsSync(volumes)) return [];
  const file = readdirSync(volumes, { recursive: true, encoding: "utf8" }).find((each) => each.endsWith("/effects"));
  return file === undefined ? [] : readFileSync(join(volumes, file), "utf8").trim().split("\n");
}

interface Seen {
  readonly state: string;
  readonly settled?: { readonly number: number; readonly schedule?: string };
  readonly schedule?: { readonly release: number; readonly nextAt?: string };
}

async function seen(project: Project): Promise<Seen | undefined> {
  const found = JSON.parse(await project.ok("status", "--json")) as { services: { status?: Seen }[] };
  return found.services[0]?.status;
}

describe("jobs by schedule", () => {
  test("run by themselves; deploy, rollback, stop, start and destroy mean what they say", async () => {
    await using project = await Project.create();
    await project.write({ "pctl.yaml": declaration("* * * * * *"), "report/run": script("v1") });
    assert.match(await project.ok("deploy"), /report +scheduled, next /);
    await inTime("two runs", () => effects(project).filter((each) => each === "end v1").length >= 2);
    assert.match(await project.ok("plan"), /unchanged/);
    assert.match(
      await project.ok("status"),
      /report: \* \* \* \* \* \* \(UTC\), next .*; (last run .* exit 0|runs since)/,
    );
    assert.match(await project.ok("logs", "report"), /said v1/);

    await project.write({ "report/run": script("v2", 3) });
    await project.ok("deploy");
    await inTime("the new release runs", () => effects(project).includes("end v2"));
    const all = effects(project);
    const since = all.slice(all.indexOf("begin v2"));
    assert.ok(!since.some((each) => each.endsWith("v1")), `the old one runs no more: ${all.join(", ")}`);
    for (const [index, line] of all.entries())
      assert.equal(line.split(" ")[0], index % 2 === 0 ? "begin" : "end", `never two at once: ${all.join(", ")}`);
    await inTime("its failure is told", async () => /failed, exit 3/.test(await project.ok("status")));

    await project.expect(1, ["scale", "report", "2"]);
    await project.ok("rollback", "report", "--to", "1");
    const ran = effects(project).length;
    await inTime("the older release runs", () => effects(project).slice(ran).includes("end v1"));

    await project.ok("stop", "report");
    assert.deepEqual(project.replicaNames(), []);
    const stopped = await seen(project);
    assert.deepEqual([stopped?.state, stopped?.schedule?.nextAt], ["stopped", undefined]);
    const before = effects(project).length;
    await project.ok("start", "report");
    await inTime("it goes on", () => effects(project).length > before);

    await project.ok("destroy", "--yes", "--remove", "report");
    assert.deepEqual(project.replicaNames(), []);
    assert.deepEqual(readdirSync(join(project.dataFolder, "instances")), []);
  });

  test("are refused where they are wrong, all at once, with their place", async () => {
    await using project = await Project.create();
    await project.write({
      "pctl.yaml": declaration("61 3 * * *", "    timezone: Mars/Olympus\n    retry: true"),
      "report/run": "",
    });
    const said = await project.expect(6, ["check"]);
    assert.match(said, /pctl\.yaml:8:15: "61 3 \* \* \*" is no cron expression: Invalid value for minute: 61/);
    assert.match(said, /pctl\.yaml:10:15: "Mars\/Olympus" is no time zone/);
    assert.match(said, /pctl\.yaml:11:5: retry is for jobs that a deploy runs/);
  });

  test("of an atomic change that failed: the schedule before is in effect again", async () => {
    await using project = await Project.create();
    const web = (code: string) =>
      `  web: { image: ./report, command: [sh, -c, "${code}"], needs: [], strategy: { type: recreate, timeout: 10s } }`;
    const files = (version: string, code: string) => ({
      "pctl.yaml": declaration(`${version} 3 1 1 *`, web(code)),
      "report/run": script(`v${version}`),
    });
    await project.write(files("1", "sleep 1000"));
    await project.ok("deploy");
    await project.write(files("2", "exit 4"));
    await project.expect(3, ["deploy", "--atomic"]);
    const back = await seen(project);
    assert.deepEqual([back?.settled?.number, back?.settled?.schedule, back?.schedule?.release], [1, "1 3 1 1 *", 1]);
    assert.equal(back?.state, "scheduled");
  });

  const kills = isSoak ? 40 : 6;
  test(`pctl killed at ${kills} random moments between schedules, jobs and services`, async (t) => {
    t.diagnostic(`SEED=${seed}`);
    const random = randomFrom(seed);
    await using project = await Project.create();
    const kinds = [
      { text: `kind: job, schedule: "0 3 1 1 *"`, run: "exit 0", state: "scheduled" },
      { text: `kind: job, schedule: "0 4 1 1 *"`, run: "exit 0", state: "scheduled" },
      { text: "strategy: { type: recreate }", run: "sleep 1000", state: "serving" },
      { text: "kind: job", run: "exit 0", state: "completed" },
    ];
    const write = (kind: { text: string; run: string }, version: number) =>
      project.write({
        "pctl.yaml": `name: shop\nprovider: local\nservices:\n  report: { image: ./report, command: [sh, ./run], ${kind.text} }\n`,
        "report/run": `: ${version}\n${kind.run}\n`,
      });
    for (let index = 0; index < kills; index += 1) {
      const [first, second] = [kinds[index % kinds.length], kinds[Math.floor(random() * kinds.length)]];
      assert.ok(first !== undefined && second !== undefined);
      await write(first, index);
      const child = project.start(["deploy"]);
      child.stdin?.end();
      const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
      const afterMs = Math.round(random() * 900);
      await Promise.race([sleep(afterMs), closed]);
      child.kill("SIGKILL");
      await closed;
      await write(second, index + 0.5);
      const where = `SEED=${seed}, ${first.text}, then ${second.text}, killed after ${afterMs} ms`;
      const { code, stdout, stderr } = await project.pctl(["deploy", "--timeout", "120s"]);
      assert.equal(code, 0, `${where}\n${stdout}${stderr}`);
      const now = await seen(project);
      assert.deepEqual(
        [now?.state, now?.schedule?.release],
        [second.state, now?.settled?.schedule && now.settled.number],
        where,
      );
      assert.equal(project.replicaNames().length, second.state === "serving" ? 1 : 0, where);
    }
  });
});
