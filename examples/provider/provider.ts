// A whole provider: it publishes a folder of files, and a web server of yours serves `{dir}/{stack}-{service}/public`.
// docs/writing-a-provider.md walks through it.
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CtrlPlaneError, defineProvider, fileLedger, instanceLabels } from "@ctrlplane/core/provider";
import type {
  DeployRequest,
  Diagnostic,
  FailureDetail,
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

type Publication = Pick<DeployRequest, "instance" | "release" | "deployment" | "replicas">;

/** It is still wanted, and the lease is still held. */
async function beforeWrite({ signal, fence }: ProviderContext): Promise<void> {
  if (signal.aborted) throw new CtrlPlaneError("CANCELLED", "the call was cancelled");
  await fence.check();
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
    const record = await readRecord(home(instance));
    if (record !== undefined && record.labels["pctl-lineage"] !== instance.lineage)
      throw new CtrlPlaneError("CONFLICT", `${instance.name} belongs to another stack`, { target: instance.name });
  };

  const statusOf = async (name: string, record: SiteRecord): Promise<InstanceStatus> => {
    const { settled } = record;
    const isPublished = (await linkedFolder(home({ name }))) !== undefined;
    const { replicaHash, generation } = settled;
    const isWanted = !record.stopped && settled.replicas !== 0;
    const ready = isPublished ? 1 : 0;
    const copy = { name, ordinal: 1, replicaHash, generation, state: "ready", routed: true, restarts: 0 } as const;
    return {
      ...record,
      name,
      state: isPublished ? "serving" : isWanted ? "down" : "stopped",
      revisions: isWanted ? [{ replicaHash, generation, desired: 1, ready, weight: 100 * ready }] : [],
      addresses: isPublished ? [pathToFileURL(join(home({ name }), "public", "index.html")).href] : [],
      volumes: [],
      observedFields: [],
      fields: {},
      restarts: 0,
      replicas: isPublished ? [copy] : [],
    };
  };

  /** Every release comes this way, also the one that is there already: what is so stays so. */
  const publish = async (request: Publication, context: ProviderContext): Promise<InstanceStatus> => {
    const { instance, release, deployment, replicas } = request;
    const { name, stack, service } = instance;
    await requireOurs(instance);
    // The gate. Nothing was changed yet, so what served before still does.
    if (!(await has(imageOf(release), "index.html"))) {
      const failure = { verdict: "UNHEALTHY", reverted: true } as const;
      const hint = "Put an index.html into the folder, then deploy again.";
      throw new CtrlPlaneError("FAILED", "there is no index.html", { target: name, failure, hint });
    }
    await beforeWrite(context);
    await linkFolder(home(instance), replicas === 0 ? undefined : imageOf(release));
    if (replicas !== 0)
      context.progress({ type: "replica.ready", message: `${name} is published`, release: release.number });
    const { replicaHash, generation } = release.revision;
    const { id: releaseId, number, specHash } = release;
    const settled = { releaseId, number, specHash, replicaHash, generation, deployment, replicas };
    const image = release.image.digest;
    const record = { stack, service, labels: instanceLabels(instance), settled, image, stopped: false };
    await beforeWrite(context);
    await writeRecord(home(instance), record);
    return statusOf(name, record);
  };

  const remove = async (instance: InstanceIdentity, context: ProviderContext): Promise<void> => {
    await requireOurs(instance);
    await beforeWrite(context);
    await removeFolder(home(instance));
  };

  /** A way back that was decided, by a change that fails as a whole for example, is finished, and nothing else. */
  const takeBack = async (request: DeployRequest, cause: FailureDetail, context: ProviderContext): Promise<never> => {
    const { instance, previous, previousReplicas: replicas = 1 } = request;
    if (previous === undefined) await remove(instance, context);
    else await publish({ ...request, release: previous, replicas }, context);
    const failure = { ...cause, reverted: true };
    throw new CtrlPlaneError("FAILED", `${instance.name} was taken back`, { target: instance.name, failure });
  };

  return defineProvider({
    type: "site",
    capabilities: ["provision", "deploy"],

    info: async () => ({ type: "site", version: "1", description: `files below ${dir}`, platformId }),
    async health() {
      await foldersWithRecord(dir);
      return { platformId, version: "1", description: `files below ${dir}`, diagnostics: [], facts: {} };
    },
    check,
    address: (instance) => ({
      host: "localhost",
      ports: [],
      published: [pathToFileURL(join(home(instance), "public", "index.html")).href],
    }),

    identifyImage: async ({ spec }) => (await contentOf(spec.image)).image,
    async buildImage({ spec, image }, context) {
      await beforeWrite(context);
      await store(spec.image, image, images);
      return image;
    },

    async provision({ instance }, context) {
      await requireOurs(instance);
      await beforeWrite(context);
      return { volumes: [] };
    },
    deprovision: ({ instance }, context) => remove(instance, context),

    async deploy(request, context) {
      const decided = request.journal.decisions.findLast((each) => each.kind === "revert");
      if (decided !== undefined) return takeBack(request, decided.failure ?? { verdict: "EXITED" }, context);
      return { state: "serving", status: await publish(request, context) };
    },
    rollback: async (request, context) => ({ state: "serving", status: await publish(request, context) }),
    start: publish,
    restart: publish,
    async stop({ instance }, context) {
      await requireOurs(instance);
      const record = { ...(await found(instance)), stopped: true };
      await beforeWrite(context);
      await writeRecord(home(instance), record);
      await linkFolder(home(instance), undefined);
      return statusOf(instance.name, record);
    },
    status: async ({ instance }) => statusOf(instance.name, await found(instance)),
    async list({ stack, names = [], cursor = "", limit = 500 }) {
      if (limit < 1) throw new CtrlPlaneError("INVALID", "a page has at least one instance");
      const all = (await foldersWithRecord(dir)).filter(([name]) => name > cursor);
      const wanted = all.filter(([name, record]) => record.stack === (stack ?? record.stack) || names.includes(name));
      const page = wanted.slice(0, limit);
      const last = wanted.length > limit ? page.at(-1)?.[0] : undefined;
      const instances = await Promise.all(page.map(([name, record]) => statusOf(name, record)));
      return { instances, ...(last === undefined ? {} : { cursor: last }) };
    },
    resources: async () => ({ at: new Date().toISOString(), replicas: [] }),
    run: ({ release, command }) => runIn(imageOf(release), command),

    // Lease and history as files beside what they govern.
    ledger: fileLedger(join(dir, ".ledger"), "platform"),
    close: async () => undefined,
  });
}
