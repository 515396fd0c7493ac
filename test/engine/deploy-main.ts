import { makePlane, parse } from "./engine-fixture.ts";

/** A deploy in a process of its own, so that it can be killed for real: `node deploy-main.ts FOLDER SOCKET SERVICES [OPTIONS]`. */
const [folder, socket, services, options = "{}"] = process.argv.slice(2);
if (folder === undefined || socket === undefined || services === undefined) throw new Error("folder, socket, services");
// Written by the tests beside this: sockets of further providers, and whether all of it is reverted together.
const { others = {}, atomic = false } = JSON.parse(options) as { others?: Record<string, string>; atomic?: boolean };
const plane = makePlane(folder, socket, () => undefined);
const run = await plane.stacks.deploy(await parse(folder, socket, services, others), { atomic });
process.exitCode = (await run.done).result?.exitCode ?? 1;
await plane.close();
