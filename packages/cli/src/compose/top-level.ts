import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Surroundings } from "./draft.ts";
import type { Field } from "./field.ts";

const known = new Set([
  "version",
  "name",
  "services",
  "volumes",
  "networks",
  "configs",
  "secrets",
  "include",
  "models",
]);

/** What is to be said of the file as a whole: noted, and returned as comments. `optional`: services that only a profile starts. */
export function sayOfStack(root: Field, optional: readonly Field[], path: string, around: Surroundings): string[] {
  const said: string[] = [];
  const leave = (field: Field, summary: string, instead: string): void => {
    around.notes.push(field.diagnostic("warning", "no-counterpart", summary, instead));
    said.push(`Left out: ${summary}. ${instead}`);
  };
  const differs = (field: Field, summary: string, hint: string): void => {
    around.notes.push(field.diagnostic("info", "differs", summary, hint));
    said.push(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}. ${hint}`);
  };
  for (const field of root.entries()) {
    const key = String(field.key);
    if (!known.has(key) && !key.startsWith("x-"))
      field.problem(`compose has no \`${key}\``, "Correct it, or remove it.");
  }
  sayIncluded(root, leave);
  for (const service of optional) sayOptional(service, leave);
  sayNetworks(root.get("networks"), leave, differs);
  for (const volume of root.get("volumes")?.entries() ?? []) sayDriver(volume, leave);
  sayBeside(path, root, differs);
  return said;
}

type Say = (field: Field, summary: string, hint: string) => void;

function sayIncluded(root: Field, leave: Say): void {
  const [include, models] = [root.get("include"), root.get("models")];
  if (include !== undefined)
    leave(include, "files under `include` are not read", "Translate each by itself, and put their services together.");
  if (models !== undefined) leave(models, "`models` has no counterpart", "Keep what needs it with compose.");
}

function sayOptional(service: Field, leave: Say): void {
  const profiles = service.get("profiles");
  const names = profiles?.items().map((each) => each.text ?? "") ?? [];
  leave(
    profiles ?? service,
    `the service ${String(service.key)} runs only with the profile ${names.join(", ")}`,
    "A task is `pctl run SERVICE -- COMMAND`; what differs between places is `environments`.",
  );
}

function sayNetworks(networks: Field | undefined, leave: Say, differs: Say): void {
  const all = networks?.entries() ?? [];
  for (const network of all) {
    const external = network.get("external")?.value;
    if (external !== undefined && external !== false)
      leave(
        network,
        `the network ${String(network.key)} is not this stack's`,
        "Services of other stacks are reached by a published port.",
      );
    else if (network.get("internal")?.isTrue === true)
      leave(
        network,
        `the network ${String(network.key)} is cut off from the outside`,
        "Publish no port of its services; outgoing connections stay possible.",
      );
  }
  if (networks !== undefined && all.length > 1)
    differs(
      networks,
      "all services are in one network",
      "Each reaches all others; what must not be reached needs a password, or a stack of its own.",
    );
}

function sayDriver(volume: Field, leave: Say): void {
  const driver = volume.get("driver")?.text;
  if (volume.get("driver_opts") === undefined && (driver === undefined || driver === "local")) return;
  leave(
    volume,
    `the driver of the volume ${String(volume.key)} is not taken over`,
    "Make the volume yourself, and name it under `external`.",
  );
}

/** Compose reads this file without being told. */
function sayBeside(path: string, root: Field, differs: Say): void {
  const beside = basename(path).replace(/\.(ya?ml)$/, ".override.$1");
  if (!existsSync(join(dirname(path), beside))) return;
  differs(
    root.get("services") ?? root,
    `${beside} is not read`,
    "Most such files are for development; what else it says is to be added.",
  );
}
