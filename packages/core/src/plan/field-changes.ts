import type { PinnedImage } from "../model/image.ts";
import type { Cause, FieldChange } from "../model/plan.ts";
import type { ServiceSpec } from "../model/spec.ts";
import { mask } from "../errors/redaction.ts";

interface Side {
  readonly spec: ServiceSpec;
  readonly image: PinnedImage;
}

/** Fields that say where something came from, or that concern the records alone: no change of the service. */
const silent = new Set(["image", "keep", "formerly", "secretEnv", "service"]);
/** Fields whose values are never shown. */
const secretFields = ["env", "registry.password", "tls.key", "tls.cert", "image.build.args", "providerOptions"];

/**
 * Field by field, what differs between the release that serves and what is wanted; values as people read them, secrets masked.
 * A value that could not be opened is masked in `before`, and not compared.
 */
export function fieldChanges(before: Side, after: Side): FieldChange[] {
  const left = flatten(visible(before.spec));
  const right = flatten(visible(after.spec));
  const paths = [...new Set([...left.keys(), ...right.keys()])].sort();
  const changes = paths
    .filter((path) => left.get(path) !== right.get(path) && left.get(path) !== mask)
    .map((path) => change(path, left.get(path), right.get(path), "configuration"));
  return [...imageChange(before.image, after.image), ...changes];
}

function imageChange(before: PinnedImage, after: PinnedImage): FieldChange[] {
  if (before.digest === after.digest) return [];
  const cause: Cause = before.declared === after.declared && after.source !== undefined ? "source" : "configuration";
  return [{ path: "image", before: describeImage(before), after: describeImage(after), cause }];
}

function describeImage(image: PinnedImage): string {
  return `${image.declared} (${image.digest.replace(/^sha256:/, "").slice(0, 8)})`;
}

function change(path: string, before: string | undefined, after: string | undefined, cause: Cause): FieldChange {
  const isSecret = secretFields.some((field) => path === field || path.startsWith(`${field}.`));
  const show = (value: string) => (isSecret ? mask : value);
  return {
    path,
    ...(before === undefined ? {} : { before: show(before) }),
    ...(after === undefined ? {} : { after: show(after) }),
    cause,
  };
}

function visible(spec: ServiceSpec): Record<string, unknown> {
  const { files, ...rest } = spec;
  const kept = Object.entries(rest).filter(([name]) => !silent.has(name));
  return {
    ...Object.fromEntries(kept),
    files: Object.fromEntries(files.map((file) => [file.path, file.digest.slice(0, 8)])),
  };
}

/** Dotted paths to leaves; a list of plain values is one leaf, an empty map or list none. */
function flatten(value: unknown, path = "", into = new Map<string, string>()): Map<string, string> {
  if (typeof value === "string") {
    into.set(path, value);
  } else if (value === null || typeof value !== "object") {
    if (value !== undefined) into.set(path, JSON.stringify(value));
  } else if (Array.isArray(value) && value.every((item) => item === null || typeof item !== "object")) {
    if (value.length > 0) into.set(path, JSON.stringify(value));
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => flatten(item, `${path}[${index}]`, into));
  } else {
    for (const [key, inner] of Object.entries(value)) flatten(inner, path === "" ? key : `${path}.${key}`, into);
  }
  return into;
}
