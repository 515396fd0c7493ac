import { makePlane, parse } from "./engine-fixture.ts";

/** A deploy in a process of its own, so that it can be killed for real: `node deploy-main.ts FOLDER SOCKET SERVICES`. */
const [folder, socket, services] = process.argv.slice(2);
if (folder === undefined || socket === undefined || services === undefined) throw new Error("folder, socket, services");
const plane = makePlane(folder, socket, () => undefined);
const run = await plane.stacks.deploy(await parse(folder, socket, services));
process.exitCode = (await run.done).result?.exitCode ?? 1;
await plane.close();
