import {
  CtrlPlaneError,
  defineProvider,
  machineProvider,
  type InstancePage,
  type PlatformHealth,
  type Provider,
  type ProviderContext,
  type ProvisionResult,
  type Remains,
} from "@ctrlplane/core/provider";
import { addressOf } from "./address.ts";
import { check } from "./check.ts";
import { createClient, type AroundCall } from "./client.ts";
import { createDriver, observedOf } from "./driver.ts";
import { buildImage, identifyImage } from "./image.ts";
import { createLedger } from "./ledger.ts";
import type { ReferenceOptions } from "./options.ts";
import type { CommandResult } from "./platform/commands.ts";
import type { InstanceView } from "./protocol.ts";
import { sessionOf } from "./session.ts";
import { externalVolumes, volumesOf } from "./volumes.ts";

const version = "1";

/** A provider for the reference platform behind a socket. Makes no connection yet. `around`: for tests, see `AroundCall`. */
export function createReferenceProvider({ socket }: ReferenceOptions, around?: AroundCall): Provider {
  const client = createClient(socket, around);
  const driver = createDriver(client);
  const machines = machineProvider({
    driver,
    run({ release, command }, context) {
      const { image, revision } = release;
      const carryOut = async (stdin: string): Promise<CommandResult> => {
        const args = {
          digest: image.digest,
          declared: image.declared,
          env: revision.env,
          stdin,
          ...(command === undefined ? {} : { command }),
        };
        return (await client.call("run", args, context)) as CommandResult; // as `calls.run` gives it
      };
      return Promise.resolve(sessionOf(command, carryOut));
    },
  });

  const health = async (context: ProviderContext): Promise<PlatformHealth> => {
    const { platformId } = (await client.call("health", {}, context)) as { platformId: string }; // as `calls.health` gives it
    return { platformId, version, description: "simulated machines", diagnostics: [], facts: {} };
  };

  return defineProvider({
    ...machines,
    type: "reference",
    capabilities: ["provision", "deploy", "scale", "logs", "exec", "volumes", "rolling", "blue_green", "canary"],
    health,
    async info(context) {
      const { platformId } = await health(context);
      return { type: "reference", version, description: "simulated machines", platformId };
    },
    check: (spec) => check(spec),
    address: addressOf,
    identifyImage: ({ spec, current }, context) => identifyImage(client, spec.image, current, context),
    buildImage: ({ spec, image }, context) => buildImage(client, spec.image, image, context),

    async provision({ instance, spec }, context) {
      const { replicas } = spec.scale;
      const count = Math.max(1, typeof replicas === "number" ? replicas : replicas.min);
      const all = Array.from({ length: count }, (_, index) => volumesOf(instance, spec.volumes, index + 1)).flat();
      const args = { instance, volumes: [...new Set(all)], external: externalVolumes(spec.volumes) };
      return (await client.call("provision", args, context)) as ProvisionResult; // as `calls.provision` gives it
    },

    async deprovision({ instance, volumes }, context) {
      const seen = await client.call("instance", { instance }, context);
      if (seen !== null) {
        await driver.route(instance, undefined, context);
        const replicas = await driver.list(instance, context);
        await Promise.all(
          replicas.map(async (each) => {
            await driver.stop(each, { signal: "SIGTERM", graceMs: 0 }, context);
            await driver.remove(each, context);
          }),
        );
      }
      await client.call("deprovision", { instance, volumes }, context);
    },

    async list({ limit = 500, ...selector }, context): Promise<InstancePage> {
      if (limit < 1) throw new CtrlPlaneError("INVALID", "a page has at least one instance");
      const page = (await client.call("list", { ...selector, limit }, context)) as {
        instances: InstanceView[];
        remains: Remains[];
        cursor?: string;
      }; // as `calls.list` gives it
      return {
        instances: page.instances.map(observedOf),
        ...(page.remains.length === 0 ? {} : { remains: page.remains }),
        ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
      };
    },

    ledger: createLedger(client),
    close: () => Promise.resolve(client.close()),
  });
}
