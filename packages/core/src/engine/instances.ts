import { createHash } from "node:crypto";
import { parseStack } from "../config/load.ts";
import { hasErrors } from "../errors/diagnostic.ts";
import { CtrlPlaneError } from "../errors/error.ts";
import { newId } from "../model/ids.ts";
import { label } from "../model/labels.ts";
import type { Stack } from "../model/stack.ts";
import type { Change } from "../model/change.ts";
import type { ControlPlane, Run, Stacks } from "../control-plane.ts";
import type { CreateInstance, Instance, Instances } from "../instances.ts";
import { entryName } from "../state/entry-key.ts";
import type { StateEntry } from "../state/store.ts";
import type { Core } from "../platforms/core.ts";
import { makeDeployments, type Operated } from "./deployments.ts";

interface Found {
  readonly stack: string;
  readonly service: string;
  readonly entry: StateEntry;
}

/** An instance that is on record, with a stack to ask about it. */
interface Known extends Operated {
  readonly id: string;
  readonly provider: string;
}

/** What a program that deploys services one by one works with. */
type Programs = Pick<ControlPlane, "instances" | "deployments" | "releases" | "recover">;

/** Services one by one, over stacks of which each usually holds one. */
export function makeInstances(
  core: Core,
  stacks: Stacks,
  of: { readonly providerTypes: readonly string[]; readonly defaultProvider?: string; readonly cwd: string },
): Programs {
  const declare = async (
    stack: string,
    service: string,
    provider: string,
    tenant: string | undefined,
    declaration: Readonly<Record<string, unknown>>,
    folder: string,
  ): Promise<Stack> => {
    const text = JSON.stringify({ name: stack, services: { [service]: { provider, ...declaration } } });
    const types = of.providerTypes.includes(provider) ? of.providerTypes : [...of.providerTypes, provider];
    const parsed = await parseStack(text, {
      cwd: folder,
      env: {},
      redactor: core.redactor,
      purpose: "deploy",
      providerTypes: types.map((type) => ({ type })),
    });
    if (parsed.stack === undefined || hasErrors(parsed.diagnostics)) {
      throw new CtrlPlaneError("INVALID", `${service} cannot be deployed as declared`, {
        target: service,
        diagnostics: parsed.diagnostics,
      });
    }
    return { ...parsed.stack, ...(tenant === undefined ? {} : { tenant }) };
  };
  const find = async (id: string): Promise<Found> => {
    for (const each of await entries(core)) if (each.entry.instance === id) return each;
    throw new CtrlPlaneError("NOT_FOUND", `no instance has the id ${id}`, { target: id });
  };
  /** The stack of an instance for calls that only operate: nothing of its declaration is needed. */
  const operating = async (id: string): Promise<Known> => {
    const { stack, service, entry } = await find(id);
    const made = await declare(
      stack,
      service,
      entry.provider,
      tenantOf(entry),
      { image: ".", command: ["true"] },
      of.cwd,
    );
    return { stack: made, service, id, provider: entry.provider };
  };
  const describe = async ({ stack, service, entry }: Found): Promise<Instance> => {
    const id = entry.instance ?? "";
    const tenant = tenantOf(entry);
    const operated = await operating(id);
    const [found] = (await stacks.status(operated.stack, [service])).services;
    return {
      id,
      stack,
      service,
      provider: entry.provider,
      ...(tenant === undefined ? {} : { tenant }),
      ...(found?.status === undefined ? {} : { status: found.status }),
    };
  };
  /** The instance as it is once the run has ended. */
  const asInstance = async (
    begun: Promise<Run<Change>>,
    { stack, service, id, provider }: Operated & Partial<Known>,
  ): Promise<Run<Instance>> => {
    const run = await begun;
    const done = run.done.then(async (change): Promise<Instance> => {
      const part = change.result?.services.find((each) => each.service === service);
      const named = { id: part?.instance ?? id, provider: part?.provider ?? provider };
      if (named.id === undefined || named.provider === undefined) throw notBegun(service, change);
      const tenant = stack.tenant === undefined ? {} : { tenant: stack.tenant };
      const status = await statusNow(stack, service);
      return { id: named.id, provider: named.provider, stack: stack.name, service, ...tenant, ...status, change };
    });
    // Told to whoever awaits it; a caller that only reads events is not ended by it.
    done.catch(() => undefined);
    return { ...run, done };
  };
  const statusNow = async (stack: Stack, service: string): Promise<Pick<Instance, "status">> => {
    try {
      const [found] = (await stacks.status(stack, [service])).services;
      return found?.status === undefined ? {} : { status: found.status };
    } catch (error) {
      core.log.warn("an instance could not be seen after its change", { stack: stack.name, error });
      return {};
    }
  };
  const instances: Instances = {
    create: async (request, options) => {
      const provider = request.provider ?? of.defaultProvider;
      if (provider === undefined)
        throw new CtrlPlaneError("INVALID", "no provider was named, and there is no default", {
          hint: "Pass provider, or defaultProvider to createControlPlane.",
        });
      const stack = await declare(
        stackName(request),
        request.name ?? "main",
        provider,
        request.tenant,
        request.service,
        request.folder ?? of.cwd,
      );
      return asInstance(stacks.deploy(stack, options), { stack, service: request.name ?? "main" });
    },
    get: async (id) => describe(await find(id)),
    list: async (selector = {}) => {
      const all = (await entries(core)).filter(
        ({ stack, entry }) =>
          (selector.stack ?? stack) === stack && (selector.tenant ?? tenantOf(entry)) === tenantOf(entry),
      );
      return all.map(({ stack, service, entry }): Instance => {
        const tenant = tenantOf(entry);
        return {
          id: entry.instance ?? "",
          stack,
          service,
          provider: entry.provider,
          ...(tenant === undefined ? {} : { tenant }),
        };
      });
    },
    deploy: async (id, declaration, options = {}) => {
      const { stack, service, entry } = await find(id);
      const folder = options.folder ?? of.cwd;
      const declared = await declare(stack, service, entry.provider, tenantOf(entry), declaration, folder);
      return asInstance(stacks.deploy(declared, options), { stack: declared, service, id, provider: entry.provider });
    },
    scale: async (id, replicas, options) =>
      on(await operating(id), (at) => asInstance(stacks.scale(at.stack, { [at.service]: replicas }, options), at)),
    start: async (id, options) =>
      on(await operating(id), (at) => asInstance(stacks.start(at.stack, [at.service], options), at)),
    stop: async (id, options) =>
      on(await operating(id), (at) => asInstance(stacks.stop(at.stack, [at.service], options), at)),
    restart: async (id, options) =>
      on(await operating(id), (at) => asInstance(stacks.restart(at.stack, [at.service], options), at)),
    rollback: async (id, options = {}) =>
      on(await operating(id), (at) => asInstance(stacks.rollback(at.stack, { ...options, service: at.service }), at)),
    destroy: async (id, options = {}) =>
      on(await operating(id), (at) => asInstance(stacks.destroy(at.stack, { ...options, services: [at.service] }), at)),
    resources: async (id) => {
      const { stack, service } = await operating(id);
      const usage = (await stacks.resources(stack, [service]))[service];
      if (usage === undefined) throw new CtrlPlaneError("NOT_FOUND", `nothing of ${id} runs`, { target: id });
      return usage;
    },
    logs: async function* (id, options = {}) {
      const { stack, service } = await operating(id);
      yield* stacks.logs(stack, { ...options, services: [service] });
    },
    exec: async (id, options) => on(await operating(id), ({ stack, service }) => stacks.exec(stack, service, options)),
    releases: async (id) => on(await operating(id), ({ stack, service }) => stacks.releases(stack, [service])),
    history: async (id) => on(await operating(id), ({ stack }) => stacks.history(stack)),
    events: async (id, change) =>
      on(await operating(id), async ({ stack }) => (await stacks.change(stack, change)).events),
  };
  const all = async (): Promise<Operated[]> =>
    Promise.all((await entries(core)).map(({ entry }) => operating(entry.instance ?? "")));
  return {
    instances,
    deployments: makeDeployments(core, stacks, { one: operating, all }),
    releases: { list: (id) => instances.releases(id) },
    recover: async (options) => {
      const byStack = new Map((await all()).map(({ stack }) => [stack.name, stack]));
      const runs: Run<Change>[] = [];
      for (const stack of byStack.values()) runs.push(await stacks.recover(stack, options));
      return runs;
    },
  };
}

function on<T>(of: Known, act: (of: Known) => Promise<T>): Promise<T> {
  return act(of);
}

/** A change that broke off before it came to its service: there is no instance to tell of. */
function notBegun(service: string, { result }: Change): CtrlPlaneError {
  const [first] = result?.diagnostics ?? [];
  return new CtrlPlaneError("FAILED", first?.summary ?? `nothing became of ${service}`, {
    target: service,
    ...(first?.hint === undefined ? {} : { hint: first.hint }),
  });
}

async function entries(core: Core): Promise<Found[]> {
  const found: Found[] = [];
  for (const stack of await core.store.list()) {
    const document = await core.store.read(stack);
    for (const [key, entry] of Object.entries(document?.entries ?? {})) {
      const name = entryName(key);
      if (entry.destroyed !== true && entry.instance !== undefined)
        found.push({ stack, service: name.slice(stack.length + 1), entry });
    }
  }
  return found;
}

function tenantOf(entry: StateEntry): string | undefined {
  return entry.labels?.[label.tenant];
}

/** One instance, one stack: named after the key where there is one, so that the same call means the same stack. */
function stackName(request: CreateInstance): string {
  if (request.stack !== undefined) return request.stack;
  if (request.idempotencyKey === undefined) return newId("inst").replace("inst_", "i-");
  const text = JSON.stringify([request.tenant, request.idempotencyKey]);
  return `i-${createHash("sha256").update(text).digest("hex").slice(0, 26)}`;
}
