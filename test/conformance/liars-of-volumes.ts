import { newId } from "@ctrlplane/core/provider";
import type { Harness } from "@ctrlplane/conformance";
import type { AroundCall } from "@ctrlplane/provider-reference";
import type { InstanceIdentity, Provider, ProviderContext } from "@ctrlplane/core/provider";
import { onCall, type Liar } from "./liar.ts";

/** Lies about data. */
export const liarsOfVolumes: readonly Liar[] = [
  {
    name: "deprovision removes volumes",
    lie: (honest) => ({
      deprovision: (request, context) => honest.deprovision({ ...request, volumes: true }, context),
    }),
    caughtBy: ["volumes.data-outlives-a-removal", "volumes.list-tells-what-a-removal-left"],
  },
  {
    name: "deprovision keeps volumes that shall go",
    lie: (honest) => ({
      deprovision: (request, context) => honest.deprovision({ ...request, volumes: false }, context),
    }),
    caughtBy: ["volumes.they-go-when-asked-to", "volumes.what-a-removal-left-goes-later"],
  },
  {
    name: "list tells of nothing that was left",
    lie: (honest) => ({
      async list(...about) {
        const { remains: _, ...page } = await honest.list(...about);
        return page;
      },
    }),
    caughtBy: ["volumes.list-tells-what-a-removal-left"],
  },
  {
    name: "what is gone has no data",
    lie: (honest) => ({
      async deprovision(request, context) {
        const isThere = await honest.status(request, context).then(
          () => true,
          () => false,
        );
        if (isThere) await honest.deprovision(request, context);
      },
    }),
    caughtBy: ["volumes.what-a-removal-left-goes-later"],
  },
  {
    name: "provision tells of a volume that is not there",
    lie: (honest) => ({
      async provision(request, context) {
        const { volumes } = await honest.provision(request, context);
        return { volumes: [...volumes, newId("rel")] };
      },
    }),
    caughtBy: ["idempotence.provision-again-changes-nothing", "volumes.provision-makes-them"],
  },
  {
    name: "status names no volumes",
    lie: (honest) => ({ status: async (...about) => ({ ...(await honest.status(...about)), volumes: [] }) }),
    caughtBy: [
      "volumes.status-names-them",
      "volumes.data-outlives-a-release",
      "volumes.data-outlives-a-removal",
      "volumes.they-go-when-asked-to",
      "volumes.list-tells-what-a-removal-left",
      "volumes.what-a-removal-left-goes-later",
      "volumes.each-replica-has-its-own",
      "volumes.a-named-one-is-shared",
    ],
  },
  {
    name: "a release begins with empty volumes",
    lie: (honest, harness) => ({
      async deploy(request, context) {
        const result = await honest.deploy(request, context);
        await emptied(honest, harness, request.instance, context);
        return result;
      },
    }),
    caughtBy: [
      "volumes.data-outlives-a-release",
      "volumes.data-outlives-a-removal",
      "volumes.an-external-one-is-never-removed",
    ],
  },
  {
    name: "stop empties volumes",
    lie: (honest, harness) => ({
      async stop(request, context) {
        const status = await honest.stop(request, context);
        await emptied(honest, harness, request.instance, context);
        return status;
      },
    }),
    caughtBy: ["volumes.data-outlives-a-stop"],
  },
  {
    name: "deprovision empties what it may not remove",
    lie: (honest, harness) => ({
      async deprovision(request, context) {
        const { volumes } = await honest.status(request, context).catch(() => ({ volumes: [] }));
        await honest.deprovision(request, context);
        if (request.volumes) await empty(harness, volumes);
      },
    }),
    caughtBy: ["volumes.a-named-one-in-use-stays", "volumes.an-external-one-is-never-removed"],
  },
  {
    name: "replicas share their volumes",
    around: onVolumes((name) => name.replace(/-\d+-storage$/, "-storage")),
    caughtBy: ["volumes.each-replica-has-its-own"],
  },
  {
    name: "every service has named volumes of its own",
    around: onVolumes((name, instance) => name.replace(/^.*-shared$/, `${instance.name}-shared`)),
    caughtBy: [
      "volumes.a-named-one-is-shared",
      "volumes.a-named-one-in-use-stays",
      "volumes.what-a-removal-left-goes-later",
    ],
  },
  {
    name: "an external volume that is missing is made",
    around: onCall<{ readonly external: readonly string[] }>("provision", (args) => ({ ...args, external: [] })),
    caughtBy: ["volumes.an-external-one-has-to-exist"],
  },
];

async function emptied(
  honest: Provider,
  harness: Harness,
  instance: InstanceIdentity,
  context: ProviderContext,
): Promise<void> {
  await empty(harness, (await honest.status({ instance }, context)).volumes);
}

async function empty(harness: Harness, volumes: readonly string[]): Promise<void> {
  for (const name of volumes) if ((await harness.readVolume(name)) !== undefined) await harness.writeVolume(name, "");
}

function onVolumes(change: (name: string, instance: InstanceIdentity) => string): AroundCall {
  const changed = (args: { readonly volumes: readonly string[]; readonly instance: InstanceIdentity }) => ({
    ...args,
    volumes: [...new Set(args.volumes.map((name) => change(name, args.instance)))],
  });
  const provisioning = onCall("provision", changed);
  const creating = onCall("create", changed);
  return (called, args, perform) => provisioning(called, args, (seen) => creating(called, seen, perform));
}
