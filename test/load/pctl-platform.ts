import { Project } from "../e2e/fixture.ts";
import {
  programOf,
  serverEnv,
  serverFiles,
  type LoadPlatform,
  type LoadStrategy,
  type ServiceOptions,
} from "./load-subject.ts";

/** What of a declaration differs from provider to provider. */
export interface Declared {
  /** Name of the stack. */
  readonly stack: string;
  /** The value of `provider`, and `providers` where it has options; lines of YAML. */
  readonly provider: string;
  /** Files in the folder of the service besides those of `serverFiles`, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Of each replica, besides `serverEnv`. */
  readonly env: Readonly<Record<string, string>>;
  /** The service's folder in a replica, with a `/` at its end; "" where a command begins in it. */
  readonly folder: string;
  /** Whatever a test left is gone. */
  remove(project: Project): Promise<void>;
}

/** A provider under load, driven by the built `pctl`. */
export function pctlPlatform(name: string, declare: () => Declared): LoadPlatform {
  return {
    name,
    async start(version, options) {
      const declared = declare();
      const project = await Project.create();
      const end = async (): Promise<void> => {
        await declared.remove(project);
        await project[Symbol.asyncDispose]();
      };
      const deploy = async (next: string, strategy: LoadStrategy): Promise<void> => {
        await project.write({ "pctl.yaml": declaration(declared, project.port, next, strategy, options) });
        if (strategy !== "canary") await project.ok("deploy", "--yes");
        else await canary(project);
      };
      try {
        const files = { ...(await serverFiles()), ...declared.files };
        for (const [file, text] of Object.entries(files)) await project.write({ [`web/${file}`]: text });
        await deploy(version, "rolling");
      } catch (error) {
        await end();
        throw error;
      }
      return {
        url: `http://127.0.0.1:${project.port}/`,
        deploy,
        rollback: async () => void (await project.ok("rollback", "web", "--yes")),
        scale: async (replicas) => void (await project.ok("scale", "web", String(replicas))),
        [Symbol.asyncDispose]: end,
      };
    },
  };
}

/** Paused at a quarter, then at the half, then all. */
async function canary(project: Project): Promise<void> {
  await project.expect(4, ["deploy", "--yes"]);
  await project.expect(4, ["promote", "web"]);
  await project.ok("promote", "web");
}

function declaration(
  { stack, provider, folder, env }: Declared,
  port: number,
  version: string,
  strategy: LoadStrategy,
  options: ServiceOptions,
): string {
  const steps = strategy === "canary" ? ", steps: [25%, 50%], pause: manual" : "";
  return `name: ${stack}
${provider}
services:
  web:
    image: ./web
    command: [node, ${folder}${programOf(options)}]
    env: ${JSON.stringify({ ...serverEnv(version, options), ...env })}
    ports: ["127.0.0.1:${port}:3000"]
    scale: { replica: 2 }
    strategy: { type: ${strategy}, drain: ${options.drainSeconds}${steps} }
`;
}
