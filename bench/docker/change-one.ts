import { text } from "node:stream/consumers";
import type { Row } from "../report.ts";
import type { Bed, Took } from "./bed.ts";
import { bareWork, type Amount } from "./deploy-all.ts";
import { declareServer, medianOf } from "./services.ts";

/** Whose containers were touched in a time, by name of service, and how many were started. */
interface Touched {
  readonly services: ReadonlySet<string>;
  readonly started: number;
}

/**
 * One of all services is changed and taken back by pctl, and replaced by the bare client, `runs` times in turn. All are made by pctl
 * first; the one that the bare client replaces stands beside them under another name.
 */
export async function changeOne(bed: Bed, amount: Amount, runs: number): Promise<Row[]> {
  const { services, firstPort } = amount;
  const { place } = bed;
  const changed = services - 1;
  const declare = (version: string): void =>
    bed.declare(
      Array.from({ length: services }, (_, index) =>
        declareServer(index, firstPort + index, place.address, index === changed ? version : "1"),
      ),
    );
  declare("1");
  await bed.pctl("deploy", "--yes", "--quiet");
  const bareOne = { ...bareWork({ services: 1, firstPort: firstPort + services }), name: `${bed.stack}-bare` };
  await bed.bare({ ...bareOne, network: `${bed.stack}-bare` });
  const [deploys, rollbacks, replaced]: [Took[], Took[], Took[]] = [[], [], []];
  const touched: Touched[] = [];
  for (let run = 0; run <= runs; run += 1) {
    const one = await bed.bare({ ...bareOne, network: `${bed.stack}-bare`, replace: 0 });
    declare(`changed ${run}`);
    const since = await engineTime(bed);
    const deploy = await bed.pctl("deploy", "--yes", "--quiet");
    touched.push(await touchedSince(bed, since));
    const rollback = await bed.pctl("rollback", "--yes");
    // The first round warms up.
    if (run === 0) continue;
    deploys.push(deploy);
    rollbacks.push(rollback);
    replaced.push(one);
  }
  await bed.clear();
  const baseline = { name: "bare client", value: medianOf(replaced, (one) => one.wallMs) };
  const of = `1 of ${services} services on ${place.name}`;
  return [
    {
      name: `${of}: changed`,
      value: medianOf(deploys, (one) => one.wallMs),
      unit: "ms",
      baseline,
    },
    {
      name: `${of}: containers started by a change, at most`,
      value: Math.max(...touched.map(({ started }) => started)),
      unit: "calls",
      goal: { atMost: 1 },
    },
    {
      name: `${of}: services touched by a change, at most`,
      value: Math.max(...touched.map((each) => each.services.size)),
      unit: "calls",
      goal: { atMost: 1 },
    },
    {
      name: `${of}: taken back`,
      value: medianOf(rollbacks, (one) => one.wallMs),
      unit: "ms",
      goal: { atMost: 2000 },
    },
  ];
}

/** Seconds since the epoch, by the engine's clock. */
async function engineTime({ engine }: Bed): Promise<number> {
  const { SystemTime } = await engine.json<{ SystemTime: string }>({ method: "GET", path: "/info" });
  return Date.parse(SystemTime) / 1000;
}

async function touchedSince(bed: Bed, since: number): Promise<Touched> {
  const query = {
    since: since.toFixed(3),
    until: (await engineTime(bed)).toFixed(3),
    filters: { type: ["container"], label: [`pctl-stack=${bed.stack}`] },
  };
  const lines = (await text(await bed.engine.stream({ method: "GET", path: "/events", query }))).trim().split("\n");
  // As the API describes an event.
  const events = lines.map(
    (line) => JSON.parse(line) as { Action: string; Actor: { Attributes: Readonly<Record<string, string>> } },
  );
  return {
    services: new Set(events.map(({ Actor }) => Actor.Attributes["pctl-service"] ?? "")),
    started: events.filter(({ Action }) => Action === "start").length,
  };
}
