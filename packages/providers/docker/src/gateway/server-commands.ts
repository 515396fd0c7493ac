import { nobody } from "./configuration.ts";
import type { Server } from "./servers.ts";
import type { SeenServer } from "./state.ts";

/** A wanted server and the slot that stands for it; undefined where none is free. */
interface Assigned {
  readonly server: Server;
  readonly slot: SeenServer | undefined;
  readonly isNew: boolean;
}

/** Runtime commands that bring what a worker has to what it should have; none where it is so. */
export interface ServerCommands {
  /** A wanted server finds no slot: a worker with more room has to begin first. Then there are no commands, or nobody might be left for clients. */
  readonly isFull: boolean;
  /** Done first: more for those who are there, and who is new. */
  readonly raise: readonly string[];
  /** Somebody is new: `raise` has taken effect once none of the wanted is unknown. */
  readonly hasNew: boolean;
  /** Less for those who are there, and nothing more for who is not wanted. */
  readonly lower: readonly string[];
}

/** A check of whom it stood for before may be under way for so long; its failure would count for the next one. */
const restS = 8;

/** Nobody is left without a target in between, and a small share never is a large one for a moment. Pure. */
export function serverCommands(seen: readonly SeenServer[], wanted: readonly Server[]): ServerCommands {
  const assigned = assign(seen, wanted);
  if (assigned.some((each) => each.slot === undefined)) return { isFull: true, raise: [], hasNew: false, lower: [] };
  const isRaised = ({ server, slot }: Assigned): boolean => server.weight >= (slot?.weight ?? 0);
  const existing = assigned.filter((each) => !each.isNew);
  const added = assigned.filter((each) => each.isNew).flatMap(newCommands);
  return {
    isFull: false,
    raise: [...existing.filter(isRaised).flatMap(changeCommands), ...added],
    hasNew: added.length > 0,
    lower: [
      ...existing.filter((each) => !isRaised(each)).flatMap(changeCommands),
      ...unwanted(seen, wanted).map((each) => `set server ${keyOf(each)} state drain`),
    ],
  };
}

/** Wanted servers that get nothing yet because their names were not looked up. */
export function unknownOf(seen: readonly SeenServer[], wanted: readonly Server[]): readonly SeenServer[] {
  return seen.filter((each) => each.isUnknown && wanted.some((server) => server.weight > 0 && isSame(each, server)));
}

/** Backends in which nobody answers clients now, though somebody of the table is to: who was down is not asked again yet, or is looked for where it was. */
export function unserved(seen: readonly SeenServer[], wanted: readonly Server[]): readonly string[] {
  const routed = wanted.filter((server) => server.weight > 0);
  const answers = (server: Server): boolean =>
    seen.some((each) => isSame(each, server) && each.isUp && !isOut(each) && each.address === server.host);
  const served = new Set(routed.filter(answers).map(({ backend }) => backend));
  return [...new Set(routed.map(({ backend }) => backend))].filter((backend) => !served.has(backend));
}

/** Takes servers that get nothing new and have nothing open (`idle`, by `keyOf`) out of service: they stand for nobody then. */
export function parkCommands(seen: readonly SeenServer[], idle: ReadonlySet<string>): readonly string[] {
  return seen
    .filter((each) => isRouted(each) && each.isDraining && !each.isInMaintenance && idle.has(keyOf(each)))
    .flatMap((each) => {
      const key = keyOf(each);
      return [`set server ${key} state maint`, `set server ${key} fqdn ${nobody}`];
    });
}

/** What differs from the table, in words; empty where a worker follows it. */
export function differences(seen: readonly SeenServer[], wanted: readonly Server[]): readonly string[] {
  const wrong = assign(seen, wanted).flatMap((each) => {
    if (each.slot === undefined || each.isNew) return [`${each.server.hostName} is missing in ${each.server.backend}`];
    return changeCommands(each).map((command) => `"${command}" was not done`);
  });
  return [...wrong, ...unwanted(seen, wanted).map((each) => `${each.hostName} is still routed by ${each.backend}`)];
}

function assign(seen: readonly SeenServer[], wanted: readonly Server[]): readonly Assigned[] {
  const taken = new Set<SeenServer>();
  const take = (isFit: (slot: SeenServer) => boolean): SeenServer | undefined => {
    const slot = seen.find((each) => !taken.has(each) && isFit(each));
    if (slot !== undefined) taken.add(slot);
    return slot;
  };
  const known = wanted.map((server) => ({ server, slot: take((each) => isSame(each, server)) }));
  return known.map(({ server, slot }) => {
    if (slot !== undefined) return { server, slot, isNew: false };
    const isFree = (each: SeenServer): boolean =>
      each.isInMaintenance &&
      each.restedS >= restS &&
      each.backend === server.backend &&
      each.isBackup === server.isBackup;
    // One whose last name is gone has no address and takes none from us: the name service gives it one, a moment later.
    const free = take((each) => isFree(each) && !each.isUnknown) ?? take(isFree);
    return { server, slot: free, isNew: true };
  });
}

function unwanted(seen: readonly SeenServer[], wanted: readonly Server[]): readonly SeenServer[] {
  return seen.filter((each) => isRouted(each) && !isOut(each) && !wanted.some((server) => isSame(each, server)));
}

function changeCommands({ server, slot }: Assigned): readonly string[] {
  if (slot === undefined) return [];
  const key = keyOf(slot);
  return [
    ...(slot.weight === server.weight ? [] : [`set server ${key} weight ${server.weight}`]),
    ...(isOut(slot) ? [`set server ${key} state ready`] : []),
  ];
}

function newCommands({ server, slot }: Assigned): readonly string[] {
  if (slot === undefined) return [];
  const key = keyOf(slot);
  return [
    `set server ${key} fqdn ${server.hostName}`,
    // The name is looked up in a moment; until then it is here.
    `set server ${key} addr ${server.host} port ${server.port}`,
    `set server ${key} weight ${server.weight}`,
    `set server ${key} state ready`,
  ];
}

function isSame(slot: SeenServer, server: Server): boolean {
  return slot.backend === server.backend && slot.hostName === server.hostName && slot.isBackup === server.isBackup;
}

function isOut({ isDraining, isInMaintenance }: SeenServer): boolean {
  return isDraining || isInMaintenance;
}

function isRouted({ backend }: SeenServer): boolean {
  return /^(http|tcp)-\d+$/.test(backend);
}

/** As HAProxy's commands name a server. */
export function keyOf({ backend, slot }: { readonly backend: string; readonly slot: string }): string {
  return `${backend}/${slot}`;
}
