import { sha256 } from "@ctrlplane/core/provider";
import type { Labels, Release } from "@ctrlplane/core/provider";
import type { ContainerDetails, ContainerSummary } from "./engine-types.ts";
import { dockerLabel } from "./labels.ts";
import type { Mount } from "./names.ts";

/** What a replica's container was made with, as its label `pctl-made` keeps it: enough to see that it is another by now. Without values of the environment. */
export interface Made {
  readonly v: 1;
  readonly image: string;
  /** Variable → beginning of its value's hash. */
  readonly env: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  /** Bytes; absent where none is set, or where the user's word lets the engine ignore it. */
  readonly memory?: number;
  readonly nanoCpus?: number;
  /** `127.0.0.1:8080->3000/tcp`, sorted: what it publishes itself. */
  readonly ports: readonly string[];
  /** `/data=shop-db-storage`, `/etc/app=(host)`, sorted. */
  readonly mounts: readonly string[];
  readonly network: string;
  /** Paths of the files that were put into it; absent: none. */
  readonly files?: readonly string[];
  /** No gateway stands before it. */
  readonly isDirect: boolean;
}

/** One thing that is another than it was made. */
export interface Difference {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  /** A running container takes it back without being replaced. */
  readonly isSmall?: true;
}

const mebibyte = 1024 * 1024;
const thousandth = 1_000_000;

export function envHashes(env: Release["revision"]["env"]): Made["env"] {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, sha256(value).slice(0, 8)]));
}

export function mountTexts(mounts: readonly Mount[]): readonly string[] {
  return mounts.map(({ path, host, volume }) => mountText(path, host === undefined ? volume?.name : undefined)).sort();
}

/** Where a folder of the host is, the engine may tell in other words than it was told. */
function mountText(path: string, volume: string | undefined): string {
  return `${path.replace(/(?<=.)\/+$/, "")}=${volume ?? "(host)"}`;
}

/** By the ports of the API's `PortBindings`. */
export function portTexts(bindings: ContainerDetails["HostConfig"]["PortBindings"]): readonly string[] {
  return Object.entries(bindings ?? {})
    .flatMap(([port, all]) => all.map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}->${port}`))
    .sort();
}

/** Undefined for what was made by an older version, or by others. */
export function madeOf(labels: Labels | null): Made | undefined {
  const text = labels?.[dockerLabel.made];
  if (text === undefined) return undefined;
  try {
    // Ours wrote it; what others wrote there instead is nothing to compare with.
    const made = JSON.parse(text) as Made;
    return made.v === 1 ? made : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What the list of containers shows to be another. */
export function listedDifferences(made: Made, container: ContainerSummary): readonly Difference[] {
  const { Image, ImageID, Ports, NetworkSettings, State } = container;
  const networks = NetworkSettings?.Networks ?? {};
  // A reference that means another image by now is listed as an id: that is no change of the container.
  const isOther = Image !== made.image && Image !== ImageID && !Image.startsWith("sha256:");
  const seen = Ports.flatMap(({ PublicPort, PrivatePort, Type }) =>
    PublicPort === undefined ? [] : [`${PublicPort}->${PrivatePort}/${Type}`],
  );
  const wanted = made.ports.map((each) => each.slice(each.lastIndexOf(":", each.indexOf("->")) + 1));
  return [
    ...(isOther ? [{ path: "image", before: Image, after: made.image }] : []),
    ...(State === "running" ? differing("ports", [...new Set(seen)].sort(), [...new Set(wanted)].sort()) : []),
    ...(networks[made.network] === undefined ? [left(made.network)] : []),
  ];
}

/** What its inspection shows to be another. `imageEnv`: what the image itself sets; undefined where that is not known any more. */
export function differences(
  made: Made,
  { Config, HostConfig, Mounts, NetworkSettings }: ContainerDetails,
  imageEnv: ReadonlySet<string> | undefined,
): readonly Difference[] {
  const mounts = Mounts.map(({ Destination, Name }) => mountText(Destination, Name)).sort();
  const anonymous = mounts.filter((each) => !made.mounts.includes(each) && /=[0-9a-f]{64}$/.test(each));
  return [
    ...(Config.Image === made.image ? [] : [{ path: "image", before: Config.Image, after: made.image }]),
    ...environment(made, Config.Env ?? [], imageEnv),
    ...(made.command === undefined ? [] : differing("command", Config.Cmd ?? [], made.command)),
    ...(made.entrypoint === undefined ? [] : differing("entrypoint", Config.Entrypoint ?? [], made.entrypoint)),
    ...limit("scale.memoryMb", HostConfig.Memory, made.memory, mebibyte),
    ...limit("scale.cpuMillis", HostConfig.NanoCpus, made.nanoCpus, thousandth),
    ...differing("ports", portTexts(HostConfig.PortBindings), made.ports),
    // An image's own volumes have no name that anybody gave.
    ...differing(
      "volumes",
      mounts.filter((each) => !anonymous.includes(each)),
      made.mounts,
    ),
    ...(NetworkSettings.Networks?.[made.network] === undefined ? [left(made.network)] : []),
  ];
}

function environment(
  { env }: Made,
  seen: readonly string[],
  imageEnv: ReadonlySet<string> | undefined,
): readonly Difference[] {
  const now = new Map(seen.map((each) => [each.slice(0, each.indexOf("=")), each.slice(each.indexOf("=") + 1)]));
  const ours = Object.entries(env).flatMap(([name, hash]): Difference[] => {
    const value = now.get(name);
    if (value !== undefined && sha256(value).startsWith(hash)) return [];
    return [{ path: `env.${name}`, before: value === undefined ? "absent" : "another value", after: "as deployed" }];
  });
  const more = seen.flatMap((each): Difference[] => {
    const name = each.slice(0, each.indexOf("="));
    const isOurs = name in env || name === "PATH" || imageEnv === undefined || imageEnv.has(each);
    return isOurs ? [] : [{ path: `env.${name}`, before: "a value", after: "absent" }];
  });
  return [...ours, ...more];
}

/** The engine can set a limit anew, and never take one away. */
function limit(path: string, seen: number, wanted: number | undefined, unit: number): readonly Difference[] {
  if (seen === (wanted ?? 0)) return [];
  const text = (value: number): string => (value === 0 ? "none" : String(value / unit));
  const difference = { path, before: text(seen), after: text(wanted ?? 0) };
  return [wanted === undefined ? difference : { ...difference, isSmall: true }];
}

function differing(path: string, seen: readonly string[], wanted: readonly string[]): readonly Difference[] {
  const before = seen.join(" ");
  const after = wanted.join(" ");
  return before === after ? [] : [{ path, before: before || "none", after: after || "none" }];
}

function left(network: string): Difference {
  return { path: "network", before: "not in it", after: network };
}
