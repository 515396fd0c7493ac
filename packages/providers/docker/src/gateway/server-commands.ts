import type { Check } from "./checks.ts";
import { serverWords } from "./configuration.ts";
import type { Server } from "./servers.ts";
import type { SeenServer } from "./state.ts";

/** Runtime commands that bring what a worker has to what it should have; none where it is so. Pure. */
export function serverCommands(
  seen: readonly SeenServer[],
  wanted: readonly Server[],
  check: Pick<Check, "words">,
): readonly string[] {
  const known = new Map(seen.map((each) => [keyOf(each), each]));
  const keys = new Set(wanted.map(keyOf));
  const isRaised = (each: Server): boolean =>
    each.weight >= (known.get(keyOf(each))?.weight ?? Number.POSITIVE_INFINITY);
  const existing = wanted.filter((each) => known.has(keyOf(each)));
  const change = (each: Server): readonly string[] => changeCommands(known.get(keyOf(each)), each);
  // Nobody is left without a target in between, and a small share never is a large one for a moment.
  return [
    ...existing.filter(isRaised).flatMap(change),
    ...wanted.filter((each) => !known.has(keyOf(each))).flatMap((each) => addCommands(each, check)),
    ...existing.filter((each) => !isRaised(each)).flatMap(change),
    ...seen
      .filter((each) => isRouted(each) && !keys.has(keyOf(each)) && !isOut(each))
      .map((each) => `set server ${keyOf(each)} state drain`),
  ];
}

/**
 * Takes servers that get nothing new and have nothing open out of service, so that they are not checked any more. They stay until the
 * next reload: this is never refused, as deleting one can be.
 */
export function parkCommands(seen: readonly SeenServer[], idle: ReadonlySet<string>): readonly string[] {
  return seen
    .filter((each) => isRouted(each) && each.isDraining && !each.isInMaintenance && idle.has(keyOf(each)))
    .map((each) => `set server ${keyOf(each)} state maint`);
}

/** What differs from the table, in words; empty where a worker follows it. */
export function differences(seen: readonly SeenServer[], wanted: readonly Server[]): readonly string[] {
  const known = new Map(seen.map((each) => [keyOf(each), each]));
  const keys = new Set(wanted.map(keyOf));
  const wrong = wanted.flatMap((each) => {
    const server = known.get(keyOf(each));
    if (server === undefined) return [`${keyOf(each)} is missing`];
    return changeCommands(server, each).map((command) => `${keyOf(each)} lacks "${command}"`);
  });
  const others = seen.filter((each) => isRouted(each) && !keys.has(keyOf(each)) && !isOut(each));
  return [...wrong, ...others.map((each) => `${keyOf(each)} is still routed`)];
}

function changeCommands(seen: SeenServer | undefined, { host, port, weight, ...server }: Server): readonly string[] {
  if (seen === undefined) return [];
  const key = keyOf(server);
  return [
    ...(seen.isFollowed || (seen.host === host && seen.port === port)
      ? []
      : [`set server ${key} addr ${host} port ${port}`]),
    ...(seen.weight === weight ? [] : [`set server ${key} weight ${weight}`]),
    ...(isOut(seen) ? [`set server ${key} state ready`] : []),
  ];
}

function addCommands(server: Server, { words }: Pick<Check, "words">): readonly string[] {
  const key = keyOf(server);
  return [
    `add server ${server.backend}/${serverWords(server, words)}`,
    ...(server.isBackup ? [] : [`enable health ${key}`]),
    `enable server ${key}`,
  ];
}

function isOut({ isDraining, isInMaintenance }: SeenServer): boolean {
  return isDraining || isInMaintenance;
}

function isRouted({ backend }: SeenServer): boolean {
  return /^(http|tcp)-\d+$/.test(backend);
}

/** As HAProxy's commands name a server. */
export function keyOf({ backend, name }: { readonly backend: string; readonly name: string }): string {
  return `${backend}/${name}`;
}
