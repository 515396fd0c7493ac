import { homedir } from "node:os";
import { isAbsolute, relative, resolve } from "node:path";
import type { Draft } from "./draft.ts";
import type { Field } from "./field.ts";
import { addBoundFiles, kindOfPath } from "./files.ts";
import { templateOf, valueNow } from "./variables.ts";

/** What one entry of `volumes` asks for. */
interface Mount {
  readonly type: string;
  /** Name of a volume, or a path; absent for a volume without a name. */
  readonly source?: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export function translateVolumes(field: Field, draft: Draft): void {
  const mounts = field.items().flatMap((item) => {
    const mount = item.isMap ? readLong(item, draft) : readShort(item, draft);
    return mount === undefined ? [] : [{ item, mount }];
  });
  // The image has the code: a folder over it, and what is kept from being covered by it, are for development.
  const covered = mounts.filter(({ item, mount }) => isSourceCode(item, mount, draft)).map(({ mount }) => mount.target);
  for (const { item, mount } of mounts) {
    if (covered.includes(mount.target))
      draft.leave(
        item,
        `${mount.source ?? ""} over ${mount.target} is for development`,
        "The image has the code; a change is deployed.",
      );
    else if (mount.source === undefined && covered.some((each) => mount.target.startsWith(`${each}/`)))
      draft.leave(item, `a volume keeps ${mount.target} from being covered`, "Nothing covers it here.");
    else addMount(item, mount, draft);
  }
}

function readShort(item: Field, draft: Draft): Mount | undefined {
  const template = templateOf(item);
  if (template === undefined) return undefined;
  const text = valueNow(template, draft.around.variables);
  const [first = "", second, mode = "", ...more] = text.split(":");
  const target = second ?? first;
  if (!target.startsWith("/") || more.length > 0)
    return item.problem(
      `${JSON.stringify(text)} mounts nothing`,
      "Write NAME:/path, ./folder:/path or /path, with :ro behind it for reading only.",
    );
  const isPath = second !== undefined && /^[./~]/.test(first);
  return {
    type: isPath ? "bind" : "volume",
    target,
    readOnly: mode.split(",").includes("ro"),
    ...(second === undefined ? {} : { source: first }),
  };
}

function readLong(item: Field, draft: Draft): Mount | undefined {
  const text = (key: string): string | undefined => {
    const field = item.get(key);
    const template = field === undefined ? undefined : templateOf(field);
    return template === undefined ? undefined : valueNow(template, draft.around.variables);
  };
  const [type = "volume", source, target] = [text("type"), text("source"), text("target")];
  if (target === undefined && type !== "cluster")
    return item.problem("a volume needs its `target`", "Write where it is mounted.");
  for (const detail of ["subpath", "nocopy"]) {
    if (item.get("volume")?.get(detail) !== undefined)
      draft.leave(item, `\`volume.${detail}\` has no counterpart`, "The volume is mounted as a whole.");
  }
  return {
    type,
    target: target ?? "",
    readOnly: item.get("read_only")?.isTrue === true,
    ...(source === undefined ? {} : { source }),
  };
}

function isSourceCode(item: Field, { type, source, readOnly }: Mount, draft: Draft): boolean {
  const build = draft.fields.get("build") as { readonly context?: string } | undefined;
  const image = draft.fields.get("image");
  const context = build?.context ?? (typeof image === "string" && /^\.{1,2}(\/|$)/.test(image) ? image : undefined);
  if (type !== "bind" || source === undefined || context === undefined || isAbsolute(source) || readOnly) return false;
  const path = resolve(item.folder, source);
  if (kindOfPath(path) === "file") return false;
  const inside = relative(resolve(draft.around.folder, context), path);
  return !inside.startsWith("..") && kindOfPath(path) === "folder";
}

function addMount(item: Field, mount: Mount, draft: Draft): void {
  const { type, source, target } = mount;
  const readOnly = mount.readOnly ? { readOnly: true } : {};
  if (type === "tmpfs") return sayTmpfs(item, draft);
  if (type === "bind") return addBind(item, mount, draft);
  if (type !== "volume")
    return draft.leave(item, `a volume of the type ${type} has no counterpart`, "Keep its service with compose.");
  if (source === undefined) return draft.add("volumes", { path: target, ...readOnly });
  const declared = draft.around.root.get("volumes");
  const top = declared?.get(source);
  if (declared === undefined || !declared.entries().some((each) => each.key === source))
    return item.problem(`there is no volume ${source}`, `Declare it: volumes: { ${source}: {} } beside \`services\`.`);
  const name = realName(source, top, draft);
  if (top?.get("external") !== undefined && top.get("external")?.value !== false)
    return draft.add("volumes", {
      path: target,
      external: top.get("external")?.get("name")?.text ?? name,
      ...readOnly,
    });
  draft.add("volumes", { path: target, name: source, ...readOnly });
  draft.differs(
    item,
    `the volume ${source} begins empty: compose's is ${name}`,
    `To go on with its data, stop compose and write \`external: ${name}\` in place of \`name: ${source}\`.`,
  );
}

/** Of the volume on the engine, as compose calls it. */
function realName(key: string, top: Field | undefined, draft: Draft): string {
  const named = top?.get("name");
  const template = named === undefined ? undefined : templateOf(named);
  if (template !== undefined) return valueNow(template, draft.around.variables);
  const isExternal = top?.get("external") !== undefined && top.get("external")?.value !== false;
  return isExternal ? key : `${draft.around.project}_${key}`;
}

function addBind(item: Field, { source = "", target, readOnly }: Mount, draft: Draft): void {
  if (isAbsolute(source)) {
    draft.add("volumes", { path: target, host: source, ...(readOnly ? { readOnly: true } : {}) });
    return draft.differs(
      item,
      `${source} is a path of the host that runs the service`,
      "It has to be there, on each host.",
    );
  }
  const path = source.startsWith("~")
    ? resolve(homedir(), source.slice(1).replace(/^\/+/, ""))
    : resolve(item.folder, source);
  const files = addBoundFiles(item, path, target, readOnly, draft);
  if (files) return;
  if (kindOfPath(path) === "file") return;
  const last = target.split("/").findLast((each) => each !== "") ?? "data";
  draft.add("volumes", { path: target, name: last === draft.name ? last : `${draft.name}-${last}` });
  draft.leave(
    item,
    `the folder ${source} of this machine is not mounted at ${target}: a host may lack it`,
    "A new, empty volume stands in its place; docs/from-compose.md says how to fill it. A folder that the host has: `host: /its/path`.",
  );
}

/** `tmpfs`, of a service or among its volumes. */
export function sayTmpfs(field: Field, draft: Draft): void {
  draft.differs(
    field,
    "`tmpfs` is no memory here",
    "What lies in no volume goes with its replica, and lies on the disk until then.",
  );
}
