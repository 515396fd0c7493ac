// How long `pctl deploy` takes after another was killed (SIGKILL) at a random moment: the next plain deploy, to its end, on `local`,
// beside a whole one of the same change that nobody disturbs. Two replicas, replaced by `recreate` (a rolling deploy would
// mostly wait for its new replicas to last); each 0.2 s to start and to end. SEED=n repeats.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { randomFrom } from "../test/e2e/random.ts";
import { openLocalService } from "./local/service.ts";
import { median, report } from "./report.ts";

const kills = process.env["QUICK"] === "1" ? 3 : 12;
const undisturbed = process.env["QUICK"] === "1" ? 2 : 4;
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const random = randomFrom(seed);
await using service = await openLocalService(["scale: { replica: 2 }", "strategy: recreate"], {
  startMs: 200,
  endMs: 200,
});
await service.run("deploy");

const whole: number[] = [];
const recovered: number[] = [];
for (let index = 0; index < undisturbed; index += 1) {
  await service.change(`whole-${index}`);
  whole.push(await service.run("deploy"));
}
for (let index = 0; index < kills; index += 1) {
  await service.change(`killed-${index}`);
  await killDeploy(random() * median(whole));
  recovered.push(await service.run("deploy"));
}
process.stdout.write(`SEED=${seed}\n`);
const of = `deploy after a SIGKILL, of ${kills}`;
report(import.meta.filename, [
  {
    name: `${of}: median`,
    value: median(recovered),
    unit: "ms",
    baseline: { name: "undisturbed, median", value: median(whole) },
  },
  {
    name: `${of}: worst`,
    value: Math.max(...recovered),
    unit: "ms",
    baseline: { name: "undisturbed, worst", value: Math.max(...whole) },
  },
]);

async function killDeploy(afterMs: number): Promise<void> {
  const child = service.start("deploy");
  child.stdin?.end();
  child.stdout?.resume();
  child.stderr?.resume();
  const exited = once(child, "exit");
  await sleep(afterMs);
  child.kill("SIGKILL");
  await exited;
}
