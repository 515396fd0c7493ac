// A whole provider: it publishes a folder of files, and a web server of yours serves `{dir}/{stack}-{service}/public`.
// docs/writing-a-provider.md walks through it.
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CtrlPlaneError, defineProvider, fileLedger, instanceLabels } from "@ctrlplane/core/provider";
import type {
  Diagnostic,
  InstanceIdentity,
  InstanceStatus,
  Provider,
  ProviderContext,
  ProviderFactory,
  Release,
} from "@ctrlplane/core/provider";
import { check } from "./check.ts";
import { contentOf, has, store } from "./files.ts";
import { foldersWithRecord, linkedFolder, linkFolder, readRecord, removeFolder, writeRecord } from "./folder.ts";
import type { SiteRecord } from "./folder.ts";
import { runIn } from "./run.ts";

/** What pctl looks for in the module that `type:` names. */
export const provider: ProviderFactory = { type: "site", checkOptions, create };

function checkOptions({ dir }: Readonly<Record<string, unknown>>): readonly Diagnostic[] {
  if (typeof dir === "string" && dir !== "") return [];
  const hint = "Write `options: { dir: ./www }`.";
  return [{ severity: "error", code: "no-dir", summary: "`dir` is missing", field: "options", hint }];
}

function create(options: Readonly<Record<string, unknown>>, environment: { readonly folder: string }): Provider {
  const dir = resolve(environment.folder, String(options["dir"]));
  const platformId = `site_${createHash("sha256").update(dir).digest("hex").slice(0, 24)}`;
  const images = join(dir, ".images");
  const home = ({ name }: { readonly name: string }): string => join(dir, name);
  const imageOf = (release: Release): string => join(images, release.image.digest.replace(":", "-"));

  const found = async (instance: InstanceIdentity): Promise<SiteRecord> => {
    const record = await readRecord(home(instance));
    if (record === undefined)
      throw new CtrlPlaneError("NOT_FOUND", `${instance.name} is not there`, { target: instance.name });
    return record;
  };

  /** Ours, or nobody's: anything else is never touched. */
  const requireOurs = async (instance: InstanceIdentity): Promise<void> => {
    const lineage = (await readRecord(home(instance)))?.labels["pctl-lineage"];
    if (lineage !== undefined && lineage !== instance.lineage)
      throw new CtrlPlaneError("CONFLICT", `${instance.name} belongs to another stack`, { target: instance.name });
  };

  const statusOf = async (name: string, record: SiteRecord): Promise<InstanceStatus> => {
    const { settled, stopped } = record;
    const isPublished = (await linkedFolder(home({ name }))) !== undefined;
    const { replicaHash, generation } = settled;
    const ready = isPublished ? 1 : 0;
    const copy = { name, ordinal: 1, replicaHash, generation, state: "ready", routed: true, restarts: 0 } as const;
    return {
      ...record,
      name,
      state: stopped ? "stopped" : isPublished ? "serving" : "down",
      revisions: stopped ? [] : [{ replicaHash, generation, desired: 1, ready, weight: 100 * ready }],
      addresses: isPublished ? [pathToFileURL(join(home({ name }), "public", "index.html")).href] : [],
      volumes: [],
      observedFields: [],
      fields: {},
      restarts: 0,
      replicas: isPublished ? [copy] : [],
    };
  };

  /** Every release comes this way, also the one that is there already: what is so stays so. */
  const publish = async (
    request: { readonly instance: InstanceIdentity; readonly release: Release; readonly deployment: string },
    context: ProviderContext,
  ): Promise<InstanceStatus> => {
    const { instance, release, deployment } = request;
    const { name, stack, service } = instance;
    await requireOurs(instance);
    // The gate. Nothing was changed yet, so what served before still does.
    if (!(await has(imageOf(release), "index.html"))) {
      const failure = { verdict: "UNHEALTHY", reverted: true } as const;
      const hint = "Put an index.html into the folder, then deploy again.";
      throw new CtrlPlaneError("FAILED", "there is no index.html", { target: name, failure, hint });
    }
    context.fence.check();
    await linkFolder(home(instance), imageOf(release));
    const { replicaHash, generation } = release.revision;
    const { id: releaseId, number, specHash } = release;
    const settled = { releaseId, number, specHash, replicaHash, generation, deployment, replicas: 1 };
    const record = { stack, service, labels: instanceLabels(instance), settled, stopped: false };
    context.fence.check();
    await writeRecord(home(instance), record);
    return statusOf(name, record);
  };

  return defineProvider({
    type: "site",
    capabilities: ["provision", "deploy"],

    info: async () => ({ type: "site", version: "1", description: `files below ${dir}`, platformId }),
    health: async () => ({ platformId, version: "1", description: `files below ${dir}`, diagnostics: [], facts: {} }),
    check,
    address: (instance) => ({
      host: "localhost",
      ports: [],
      published: [pathToFileURL(join(home(instance), "public", "index.html")).href],
    }),

    identifyImage: async ({ spec }) => (await contentOf(spec.image)).image,
    async buildImage({ spec, image }, context) {
      context.fence.check();
      await store(spec.image, image, images);
      return image;
    },

    async provision({ instance }) {
      await requireOurs(instance);
      return { volumes: [] };
    },
    async deprovision({ instance }, context) {
      await requireOurs(instance);
      context.fence.check();
      await removeFolder(home(instance));
    },

    deploy: async (request, context) => ({ state: "serving", status: await publish(request, context) }),
    rollback: async (request, context) => ({ state: "serving", status: await publish(request, context) }),
    start: publish,
    restart: publish,
    async stop({ instance }, context) {
      const record = { ...(await found(instance)), stopped: true };
      context.fence.check();
      await writeRecord(home(instance), record);
      await linkFolder(home(instance), undefined);
      return statusOf(instance.name, record);
    },
    status: async ({ instance }) => statusOf(instance.name, await found(instance)),
    async list({ stack, names = [] }) {
      const all = await foldersWithRecord(dir);
      const wanted = all.filter(([name, record]) => record.stack === (stack ?? record.stack) || names.includes(name));
      return { instances: await Promise.all(wanted.map(([name, record]) => statusOf(name, record))) };
    },
    resources: async () => ({ at: new Date().toISOString(), replicas: [] }),
    run: ({ release, command }) => runIn(imageOf(release), command),

    // Lease and history as files beside what they govern.
    ledger: fileLedger(join(dir, ".ledger"), "platform"),
    close: async () => undefined,
  });
}
