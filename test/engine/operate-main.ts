import { makePlane, parse } from "./engine-fixture.ts";

/** A command in a process of its own, so that it can be killed for real: `node operate-main.ts FOLDER SOCKET SERVICES COMMAND`. */
const [folder, socket, services, command] = process.argv.slice(2);
if (folder === undefined || socket === undefined || services === undefined || command === undefined)
  throw new Error("folder, socket, services, command");
const { stacks, ...plane } = makePlane(folder, socket, () => undefined);
const stack = await parse(folder, socket, services);
const commands = {
  scale: () => stacks.scale(stack, { web: 3 }),
  stop: () => stacks.stop(stack, ["web"]),
  restart: () => stacks.restart(stack, ["web"]),
  rollback: () => stacks.rollback(stack),
  promote: () => stacks.promote(stack, [], { full: true }),
  abort: () => stacks.abort(stack),
  destroy: () => stacks.destroy(stack),
};
if (!Object.hasOwn(commands, command)) throw new Error(command);
const run = await commands[command as keyof typeof commands](); // checked on the line before
process.exitCode = (await run.done).result?.exitCode ?? 1;
await plane.close();
