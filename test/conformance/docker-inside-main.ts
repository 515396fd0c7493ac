// `docker-inside-main.ts SOCKET [GROUP_OR_ID]…`: the suite on the engine at this socket, in whose network this process is: what is published on its loopback is
// on ours. Prints the report as JSON.
import { startRun } from "@ctrlplane/conformance";
import { dockerHarness } from "../../packages/providers/docker/src/conformance-harness.test.support.ts";
import { dockerDeviations as deviations } from "./docker-deviations.ts";

const [path, ...only] = process.argv.slice(2);
if (path === undefined) throw new Error("name a socket");
const harness = await dockerHarness({ kind: "socket", path }, "127.0.0.1");
const report = await startRun({ harness, deviations, only }).report;
process.stdout.write(JSON.stringify(report));
