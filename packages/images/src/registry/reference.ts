import { CtrlPlaneError } from "@ctrlplane/core/provider";

/** The name of an image, taken apart and completed as docker does it. */
export interface ImageReference {
  /** Host of the registry, with its port: `docker.io`, `localhost:5000`. */
  readonly domain: string;
  /** `library/postgres`. */
  readonly path: string;
  readonly tag?: string;
  /** `sha256:…`. */
  readonly digest?: string;
}

const component = "[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*";
const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const domain = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const path = new RegExp(`^${component}(?:/${component})*$`);
const suffixes =
  /^(?<name>[^@]*?)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$/;

/** @throws `INVALID` for what is no reference. */
export function parseReference(text: string): ImageReference {
  const found = suffixes.exec(text)?.groups;
  const name = found?.["name"] ?? "";
  const split = splitDomain(name);
  const isWhole = domain.test(split.domain) && path.test(split.path) && split.path.length + split.domain.length < 255;
  // A bare id of an image is none: it could mean two things.
  if (found === undefined || !isWhole || /^[a-f0-9]{64}$/.test(name)) {
    throw new CtrlPlaneError("INVALID", `${JSON.stringify(text)} is no image reference`, {
      target: text,
      hint: "It looks like postgres:17 or registry.example.com/team/app:1.2, in lower case.",
    });
  }
  const { tag, digest } = found;
  return { ...split, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** With registry and path in full; `latest` where it has neither tag nor digest. */
export function completeReference(reference: ImageReference): string {
  return `${reference.domain}/${reference.path}${suffixOf(reference)}`;
}

/** As people write it: without what goes without saying. */
export function familiarName({ domain: host, path: full }: ImageReference): string {
  if (host !== "docker.io") return `${host}/${full}`;
  const [, short] = /^library\/([^/]+)$/.exec(full) ?? [];
  return short ?? full;
}

/** Tag and digest with their signs. */
function suffixOf({ tag, digest }: ImageReference): string {
  if (tag === undefined && digest === undefined) return ":latest";
  return `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** The first part is a registry where it could be a host: a dot, a port, `localhost`, or capital letters, which no path has. */
function splitDomain(name: string): { readonly domain: string; readonly path: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const host = isHost ? first : "docker.io";
  const rest = isHost ? name.slice(slash + 1) : name;
  if (host !== "docker.io" && host !== "index.docker.io") return { domain: host, path: rest };
  return { domain: "docker.io", path: rest.includes("/") ? rest : `library/${rest}` };
}
