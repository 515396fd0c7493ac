import { sha256 } from "./hash.ts";

/** `{stack}-{service}`. */
export function instanceName(stack: string, service: string): string {
  return `${stack}-${service}`;
}

/** `{name}` for an instance of one replica, else `{name}-{ordinal}`; ordinals count from 1. */
export function replicaName(name: string, ordinal: number, replicas: number): string {
  return replicas <= 1 && ordinal === 1 ? name : `${name}-${ordinal}`;
}

/** How pctl 1.1 laid out the volumes of an instance: one for each replica, mounted at every path. What was taken over keeps it. */
export interface AdoptedLayout {
  /** Whose name the first replica's volume has: `{name}`, or `{name}-1` where 1.1 ran more than one. */
  readonly first: string;
}

/** Volume of a replica: `{name}-storage`, `{name}-2-storage`; further paths (index from 0) append a name made of the path. */
export function volumeName(
  name: string,
  ordinal: number,
  index: number,
  path: string,
  adopted?: AdoptedLayout,
): string {
  const owner = ordinal === 1 ? (adopted?.first ?? name) : `${name}-${ordinal}`;
  return index === 0 || adopted !== undefined ? `${owner}-storage` : `${owner}-storage-${pathWord(path)}`;
}

function pathWord(path: string): string {
  const word = path
    .replace(/[^a-zA-Z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .toLowerCase();
  return word === "" ? sha256(path).slice(0, 8) : word;
}

/** A name that fits `limit` characters: cut, and ending in 8 hex digits of the whole where it was too long. */
export function fitName(name: string, limit: number): string {
  return name.length <= limit ? name : `${name.slice(0, limit - 9)}-${sha256(name).slice(0, 8)}`;
}
