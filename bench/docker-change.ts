// One of 100 services changed, and taken back, on a Docker Engine by its socket: the whole `pctl deploy` and `pctl rollback` (its image is
// there) against a bare client that replaces that one container: stop, remove, create, start, wait for its port. In turn; medians. What was touched is
// counted by the engine's events.
import { parseArgs } from "node:util";
import { Bed } from "./docker/bed.ts";
import { changeOne } from "./docker/change-one.ts";
import { enginePlace } from "./docker/place.ts";
import { report } from "./report.ts";

const { values } = parseArgs({
  options: { services: { type: "string", default: "100" }, runs: { type: "string", default: "5" } },
});
await using bed = new Bed(await enginePlace(), `bench-${process.pid}`);
const amount = { services: Number(values.services), firstPort: 26_000 };
report(import.meta.filename, await changeOne(bed, amount, Number(values.runs)));
