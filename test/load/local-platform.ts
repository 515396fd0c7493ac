import { Project } from "../e2e/fixture.ts";
import { serverEnv, serverFiles, type LoadPlatform, type ServiceOptions } from "./load-subject.ts";

/** `local`, by the built `pctl`. */
export const platform: LoadPlatform = {
  name: "local",
  async start(version, options) {
    const project = await Project.create();
    const deploy = async (next: string): Promise<void> => {
      await project.write({ "pctl.yaml": declaration(project.port, next, options) });
      await project.ok("deploy");
    };
    try {
      for (const [name, text] of Object.entries(await serverFiles())) await project.write({ [`web/${name}`]: text });
      await deploy(version);
    } catch (error) {
      await project[Symbol.asyncDispose]();
      throw error;
    }
    return {
      url: `http://127.0.0.1:${project.port}/`,
      deploy,
      rollback: async () => void (await project.ok("rollback", "web", "--yes")),
      scale: async (replicas) => void (await project.ok("scale", "web", String(replicas))),
      [Symbol.asyncDispose]: () => project[Symbol.asyncDispose](),
    };
  },
};

function declaration(port: number, version: string, options: ServiceOptions): string {
  return `name: shop
provider: local
services:
  web:
    image: ./web
    command: [node, server-main.ts]
    env: ${JSON.stringify(serverEnv(version, options))}
    ports: ["127.0.0.1:${port}:3000"]
    scale: { replica: 2 }
    strategy: { type: rolling, drain: ${options.drainSeconds} }
`;
}
