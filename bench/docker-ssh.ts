// As docker-deploy and docker-change, on an engine 26.1 that is reached over SSH. The bare client has the host's socket forwarded by one
// `ssh`, whose start counts, as pctl's does; it waits for published ports. With fewer services: a host is a container of this machine.
import { parseArgs } from "node:util";
import { Bed } from "./docker/bed.ts";
import { changeOne } from "./docker/change-one.ts";
import { deployInTurn, deployRows } from "./docker/deploy-all.ts";
import { hostPlace } from "./docker/place.ts";
import { report } from "./report.ts";

const { values } = parseArgs({
  options: {
    services: { type: "string", default: "50" },
    all: { type: "string", default: "100" },
    runs: { type: "string", default: "5" },
  },
});
const amount = { services: Number(values.services), firstPort: 26_000 };
await using bed = new Bed(await hostPlace(), `bench-${process.pid}`);
const deployed = await deployInTurn(bed, amount, Number(values.runs));
const changed = await changeOne(bed, { services: Number(values.all), firstPort: 26_000 }, 3);
report(import.meta.filename, [...deployRows(`${amount.services} services on ${bed.place.name}`, deployed), ...changed]);
