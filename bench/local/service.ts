import type { ChildProcess } from "node:child_process";
import { serverFiles, type Behaviour } from "../../test/e2e/server-folder.ts";
import { freePort } from "../../test/free-port.ts";
import { Workbench } from "../../test/e2e/workbench.ts";

/** A stack of one service on `local` and the built `pctl`, in folders of its own; all of it ends with the scope that holds it. */
export interface LocalService extends AsyncDisposable {
  /** The server is another version from the next deploy on. */
  change(version: string): Promise<void>;
  /** Runs `pctl COMMAND` to its end and returns the milliseconds it took; throws where it fails. */
  run(command: string): Promise<number>;
  start(command: string): ChildProcess;
  /** Where `pctl` runs. */
  readonly folder: string;
  /** What `pctl` runs with. */
  readonly environment: Readonly<Record<string, string>>;
}

/** `keys`: more of the service, each a line of YAML. */
export async function openLocalService(
  keys: readonly string[],
  behaviour: Omit<Behaviour, "version"> = {},
): Promise<LocalService> {
  const bench = await Workbench.create();
  const port = await freePort();
  const lines = ["image: ./web", "command: [node, server.js]", `ports: ["127.0.0.1:${port}:3000"]`, ...keys];
  const declaration = `name: bench\nprovider: local\nservices:\n  web:\n${lines.map((each) => `    ${each}\n`).join("")}`;
  const change = (version: string): Promise<void> => bench.write(serverFiles("web", { ...behaviour, version }));
  await bench.write({ "pctl.yaml": declaration });
  await change("first");
  return {
    folder: bench.folder,
    environment: bench.environment,
    change,
    run: async (command) => {
      const startedAt = performance.now();
      const { code, stdout, stderr } = await bench.pctl([command]);
      if (code !== 0) throw new Error(`pctl ${command} ended with ${code}: ${stdout}${stderr}`);
      return performance.now() - startedAt;
    },
    start: (command) => bench.start([command]),
    [Symbol.asyncDispose]: () => bench.dispose(),
  };
}
