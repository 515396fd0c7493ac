import { canonicalJson } from "../model/hash.ts";
import { instanceName, replicaName } from "../model/names.ts";
import type { PortSpec } from "../model/resources.ts";
import type { ServiceSpec } from "../model/spec.ts";
import type { ProviderDeclaration } from "../model/stack.ts";
import { dependencies, findCycles } from "./dependencies.ts";
import { anyOf, nearest } from "./nearest.ts";
import type { KnownProviderType } from "./options.ts";
import type { At } from "./at.ts";

export interface CheckedService {
  readonly spec: ServiceSpec;
  readonly providers: readonly ProviderDeclaration[];
  readonly wires: readonly string[];
}
type Services = Readonly<Record<string, CheckedService>>;

/** What only shows when services are seen together. `at` is the place of `services`; `declared` holds broken ones too. */
export function checkTogether(
  stack: string,
  services: Services,
  declared: ReadonlySet<string>,
  types: readonly KnownProviderType[],
  at: At,
): void {
  checkNeeds(services, declared, at);
  checkCycles(services, at);
  checkFormerly(services, declared, at);
  checkNames(stack, services, at);
  checkHostPorts(services, types, at);
  checkLists(services, at);
}

function checkNeeds(services: Services, declared: ReadonlySet<string>, at: At): void {
  for (const [name, { spec }] of Object.entries(services)) {
    const here = at.child(name).child("needs");
    for (const [needed, condition] of Object.entries(spec.needs)) {
      if (!declared.has(needed)) {
        const near = nearest(needed, declared);
        here.child(needed).problem({
          code: "unknown-service",
          at: "key",
          summary: `${name} needs ${needed}, which is no service`,
          hint: near === undefined ? `Services are ${anyOf([...declared])}.` : `Did you mean ${near}?`,
        });
        continue;
      }
      const kind = services[needed]?.spec.kind;
      if (services[needed]?.spec.job?.schedule !== undefined) {
        here.child(needed).problem({
          code: "needs",
          summary: `${needed} runs by a schedule: there is nothing to wait for`,
          hint: `Remove it, or make a job without \`schedule\` of what has to run first.`,
        });
        continue;
      }
      if (condition === "completed" && kind === "service")
        here.child(needed).problem({
          code: "needs",
          summary: `${needed} is no job and never completes`,
          hint: `Write ${needed}: healthy.`,
        });
      if (condition === "healthy" && kind === "job")
        here
          .child(needed)
          .problem({ code: "needs", summary: `${needed} is a job: it completes`, hint: `Write ${needed}: completed.` });
    }
  }
}

function checkCycles(services: Services, at: At): void {
  const graph = Object.fromEntries(Object.entries(services).map(([name, service]) => [name, dependencies(service)]));
  for (const cycle of findCycles(graph)) {
    const [first = ""] = cycle;
    const place =
      services[first]?.spec.needs[cycle[1] ?? ""] === undefined ? at.child(first) : at.child(first).child("needs");
    place.problem({
      code: "cycle",
      at: "key",
      summary: `services wait for each other: ${cycle.join(" → ")}`,
      hint: "Remove one of these `needs` or ${service:…}.",
    });
  }
}

function checkFormerly(services: Services, declared: ReadonlySet<string>, at: At): void {
  const taken = new Map<string, string>();
  for (const [name, { spec }] of Object.entries(services)) {
    const { formerly } = spec;
    if (formerly === undefined) continue;
    const here = at.child(name).child("formerly");
    const other = taken.get(formerly);
    if (declared.has(formerly))
      here.problem({
        code: "formerly",
        summary: `${formerly} still is a service of its own`,
        hint: "Remove `formerly`, or the other service.",
      });
    else if (other !== undefined)
      here.problem({
        code: "formerly",
        summary: `${other} and ${name} were both ${formerly}`,
        hint: "Only one of them can take its place.",
      });
    taken.set(formerly, name);
  }
}

/** `a` with two replicas and `a-1`; `x` and `x-gateway`. */
function checkNames(stack: string, services: Services, at: At): void {
  const owners = new Map<string, string>();
  for (const [name, { providers }] of Object.entries(services))
    for (const provider of providers) owners.set(platformKey(provider, instanceName(stack, name)), name);
  for (const [name, { spec, providers }] of Object.entries(services)) {
    const { replicas } = spec.scale;
    const most = typeof replicas === "number" ? replicas : replicas.max;
    const full = instanceName(stack, name);
    const made = [{ name: `${full}-gateway`, what: "the gateway" }];
    // Ordinals above this are not looked at one by one; nobody calls a service `web-1001`.
    const last = most > 1 ? Math.min(most, 1000) : 0;
    for (let ordinal = 1; ordinal <= last; ordinal++)
      made.push({ name: replicaName(full, ordinal, most), what: `replica ${ordinal}` });
    for (const each of made) {
      const [other] = providers.flatMap((provider) => owners.get(platformKey(provider, each.name)) ?? []);
      if (other !== undefined)
        at.child(other).problem({
          code: "name-clash",
          at: "key",
          summary: `${other} has the name of ${each.what} of ${name}: ${each.name}`,
          hint: `Rename ${other}.`,
        });
    }
  }
}

const platforms = new WeakMap<ProviderDeclaration, string>();

/** Two names of one type with the same options are one platform. */
function platformKey(provider: ProviderDeclaration, name: string): string {
  const known = platforms.get(provider);
  const platform = known ?? `${provider.type} ${canonicalJson(provider.options)}`;
  if (known === undefined) platforms.set(provider, platform);
  return `${platform} ${name}`;
}

/** There each service has an address of its own. */
const ownAddresses = new Set(["kubernetes", "eks", "gke", "ecs", "cloud-run", "aci", "fly", "aws", "gcp"]);

interface PublishedPort {
  readonly service: string;
  readonly port: PortSpec;
  readonly domains: ServiceSpec["domains"];
}

function checkHostPorts(services: Services, types: readonly KnownProviderType[], at: At): void {
  const taken = new Map<string, PublishedPort[]>();
  for (const [name, { spec }] of Object.entries(services)) checkRepeated(name, spec.ports, at);
  const placed = Object.entries(services).flatMap(([name, { spec, providers }]) =>
    providers.map((provider) => ({ name, spec, provider })),
  );
  const told = new Set<string>();
  for (const { name, spec, provider } of placed) {
    const type = types.find((each) => each.type === provider.type);
    if (type?.hasOwnAddresses ?? ownAddresses.has(provider.type)) continue;
    for (const [index, port] of spec.ports.entries()) {
      if (port.hostPort === undefined) continue;
      const key = platformKey(provider, `${port.protocol === "udp" ? "udp" : "tcp"} ${port.hostPort}`);
      const others = taken.get(key) ?? [];
      taken.set(key, others);
      const published = { service: name, port, domains: spec.domains };
      const other = others.find((each) => overlap(each.port.address, port.address) && !isShared(each, published));
      if (other !== undefined && !told.has(`${name} ${index}`)) {
        told.add(`${name} ${index}`);
        const who = other.service === name ? "twice" : `by ${other.service} too`;
        at.child(name)
          .child("ports")
          .child(index)
          .problem({
            code: "host-port",
            summary: `host port ${port.hostPort} is published ${who}`,
            hint:
              isHttp(port) && isHttp(other.port) && other.service !== name
                ? "Choose another host port, or give each `domains` that differ, or write { containerPort } alone for what only services use."
                : "Choose another host port, or { containerPort } alone for what only services use.",
          });
      }
      others.push(published);
    }
  }
}

/** Its instances are reverted together, so none of them can be held where it failed. */
function checkLists(services: Services, at: At): void {
  for (const [name, { spec, providers }] of Object.entries(services)) {
    if (providers.length === 1 || spec.strategy.onFailure !== "hold") continue;
    at.child(name)
      .child("strategy")
      .child("onfailure")
      .problem({
        code: "list-hold",
        summary: `${name} has several providers and is reverted on all of them when it fails on one: it cannot be held`,
        hint: "Write onfailure: revert, or one provider.",
      });
  }
}

function checkRepeated(name: string, ports: readonly PortSpec[], at: At): void {
  const seen = new Set<string>();
  for (const [index, port] of ports.entries()) {
    if (port.hostPort !== undefined) continue;
    const key = `${port.containerPort}/${port.protocol === "udp" ? "udp" : "tcp"}`;
    if (seen.has(key))
      at.child(name)
        .child("ports")
        .child(index)
        .problem({ code: "port-twice", summary: `port ${port.containerPort} stands here twice`, hint: "Remove one." });
    seen.add(key);
  }
}

/** An HTTP port at one address serves several services by their domains; one without any gets what the others do not take. */
function isShared(one: PublishedPort, other: PublishedPort): boolean {
  if (one.service === other.service || !isHttp(one.port) || !isHttp(other.port)) return false;
  if ((one.port.address ?? "0.0.0.0") !== (other.port.address ?? "0.0.0.0")) return false;
  const entries = domainEntries(one);
  return !domainEntries(other).some((each) => entries.includes(each));
}

/** The empty entry is all that nobody else takes. */
function domainEntries({ domains }: PublishedPort): readonly string[] {
  if (domains.length === 0) return [""];
  return domains.map(({ host, path }) => `${host.toLowerCase()}${path.replace(/\/+$/, "")}/`);
}

function isHttp({ protocol }: PortSpec): boolean {
  return protocol === "http" || protocol === "auto";
}

function overlap(a = "0.0.0.0", b = "0.0.0.0"): boolean {
  const isAll = (address: string): boolean => address === "0.0.0.0" || /^[0:]+$/.test(address);
  return a === b || isAll(a) || isAll(b);
}
