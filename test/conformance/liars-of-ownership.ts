import { instanceLabels, isCtrlPlaneError } from "@ctrlplane/core/provider";
import type { InstanceIdentity, Labels } from "@ctrlplane/core/provider";
import { onCall, type Liar } from "./liar.ts";

interface CreateArgs {
  readonly labels: Labels;
  readonly env: Readonly<Record<string, string>>;
}

/** Lies about what carries which labels, and whose it is. */
export const liarsOfOwnership: readonly Liar[] = [
  {
    name: "replicas lack their lineage",
    around: onCall<CreateArgs>("create", ({ labels: { "pctl-lineage": _, ...labels }, ...args }) => ({
      ...args,
      labels,
    })),
    caughtBy: ["identity.every-replica-carries-its-labels"],
  },
  {
    name: "replicas lack their tenant",
    around: onCall<CreateArgs>("create", ({ labels: { "pctl-tenant": _, ...labels }, ...args }) => ({
      ...args,
      labels,
    })),
    caughtBy: ["identity.a-tenant-is-labelled"],
  },
  {
    name: "every replica has the ordinal 1",
    around: onCall<CreateArgs>("create", (args) => ({ ...args, labels: { ...args.labels, "pctl-ordinal": "1" } })),
    caughtBy: ["identity.ordinals-count-from-one"],
  },
  {
    name: "labels show the environment",
    around: onCall<CreateArgs>("create", (args) => ({
      ...args,
      labels: { ...args.labels, env: JSON.stringify(args.env) },
    })),
    caughtBy: ["errors.what-is-observed-shows-no-environment"],
  },
  {
    name: "nobody manages the instance",
    lie: (honest, { relabel }) => ({
      async deploy(request, context) {
        const result = await honest.deploy(request, context);
        const { "managed-by": _, ...labels } = instanceLabels(request.instance);
        await relabel(request.instance.name, labels);
        return result;
      },
    }),
    caughtBy: [
      "identity.instance-carries-our-labels",
      "list.knows-every-instance",
      "list.knows-other-stacks",
      "list.pages-lose-nothing",
      "list.a-page-is-no-larger",
      "list.the-last-page-has-no-cursor",
      "list.says-what-status-says",
      "list.names-stack-and-service",
      "list.tells-the-image-that-runs",
      "list.sees-what-was-done-by-hand",
    ],
  },
  {
    name: "list gives the labels that should be",
    lie: (honest) => ({
      async list(selector, context) {
        const page = await honest.list(selector, context);
        const instances = page.instances.map((each) => {
          const { "pctl-lineage": lineage } = each.labels;
          if (each.stack !== selector.stack || lineage === undefined) return each;
          return { ...each, labels: instanceLabels({ ...each, lineage }) };
        });
        return { ...page, instances };
      },
    }),
    caughtBy: ["identity.list-tells-labels-as-they-are"],
  },
  {
    name: "a foreign instance is removed",
    lie: (honest, { relabel }) => ({
      deprovision: (request, context) =>
        honest.deprovision(request, context).catch(async (error: unknown) => {
          if (!isCtrlPlaneError(error) || error.code !== "CONFLICT") throw error;
          await relabel(request.instance.name, instanceLabels(request.instance));
          await honest.deprovision(request, context);
        }),
    }),
    caughtBy: [
      "ownership.other-lineage-is-not-removed",
      "ownership.unlabelled-is-not-removed",
      "ownership.pctl-1-1-is-not-removed-unasked",
    ],
  },
  {
    name: "a foreign instance is taken over by a deploy",
    lie: (honest, { relabel }) => ({
      async deploy(request, context) {
        await relabel(request.instance.name, instanceLabels(request.instance));
        return honest.deploy(request, context);
      },
    }),
    caughtBy: [
      "ownership.other-lineage-is-not-deployed",
      "ownership.unlabelled-is-not-deployed",
      "ownership.pctl-1-1-is-not-deployed-unasked",
    ],
  },
  {
    name: "a foreign instance is taken over by what is no deploy",
    lie(honest, { relabel }) {
      const takeOver = ({ name, ...instance }: InstanceIdentity) =>
        relabel(name, instanceLabels({ name, ...instance }));
      return {
        async provision(request, context) {
          await takeOver(request.instance);
          return honest.provision(request, context);
        },
        async rollback(request, context) {
          await takeOver(request.instance);
          return honest.rollback(request, context);
        },
        async start(request, context) {
          await takeOver(request.instance);
          return honest.start(request, context);
        },
        async stop(request, context) {
          await takeOver(request.instance);
          return honest.stop(request, context);
        },
        async restart(request, context) {
          await takeOver(request.instance);
          return honest.restart(request, context);
        },
      };
    },
    caughtBy: [
      "ownership.other-lineage-is-not-provisioned",
      "ownership.other-lineage-is-not-rolled-back",
      "ownership.other-lineage-is-not-started",
      "ownership.other-lineage-is-not-stopped",
      "ownership.other-lineage-is-not-restarted",
      "ownership.unlabelled-is-not-stopped",
    ],
  },
  {
    name: "a removal goes by the beginning of names",
    lie: (honest) => ({
      async deprovision({ instance, volumes }, context) {
        const { instances } = await honest.list({}, context);
        const isAlike = (name: string): boolean =>
          name.startsWith(instance.name) || (name.startsWith(instance.stack) && name.endsWith(`-${instance.service}`));
        for (const { name } of instances)
          if (isAlike(name)) await honest.deprovision({ instance: { ...instance, name }, volumes }, context);
        await honest.deprovision({ instance, volumes }, context);
      },
    }),
    caughtBy: ["ownership.a-longer-name-is-another", "ownership.another-stack-is-left"],
  },
  {
    name: "every provider is another platform",
    lie: (honest) => {
      const platformId = `reference_${Math.random()}`;
      return { info: async (context) => ({ ...(await honest.info(context)), platformId }) };
    },
    caughtBy: ["identity.one-platform-has-one-id"],
  },
  {
    name: "info says another type",
    lie: (honest) => ({ info: async (context) => ({ ...(await honest.info(context)), type: "other" }) }),
    caughtBy: ["identity.info-names-its-type"],
  },
  {
    name: "info tidies up",
    lie: (honest) => ({
      async info(context) {
        const info = await honest.info(context);
        const { stack } = context.fence;
        const left = { stack, service: "left", name: `${stack}-left`, id: "inst_left", lineage: "lin_left" };
        const instance = { ...left, provider: info.type, platformId: info.platformId };
        await honest.deprovision({ instance, volumes: false }, context);
        return info;
      },
    }),
    caughtBy: ["identity.health-writes-nothing"],
  },
];
