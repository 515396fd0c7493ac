import { readdirSync, statSync } from "node:fs";
import { basename, join, relative, resolve, sep } from "node:path";
import { relativePath } from "./build.ts";
import type { Draft } from "./draft.ts";
import type { Field } from "./field.ts";
import { templateOf, valueNow } from "./variables.ts";

const mostFiles = 20;
const mostBytes = 2 ** 20;

export function kindOfPath(path: string): "file" | "folder" | "other" | "none" {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return "none";
  return found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
}

/** Endings of files that people write: what a program keeps mostly has others. */
const written =
  /\.(?:conf|cnf|cfg|ini|ya?ml|json|toml|xml|properties|env|tmpl|template|sh|sql|js|mjs|ts|py|rb|lua|php|html|css|txt|md|crt|pem|rules)$/;
/** Names of folders that programs keep data in. */
const kept = /(?:^|[-_.])(?:data|db|storage|uploads?|files|media|backups?|state|logs?|cache)(?:$|[-_.])/i;

/** A file that is bound, or a small folder of what people write, becomes `files`. False where it is neither. */
export function addBoundFiles(item: Field, path: string, target: string, readOnly: boolean, draft: Draft): boolean {
  const kind = kindOfPath(path);
  const here = relativePath(draft.around.folder, path);
  if (kind === "file") {
    if (statSync(path).size > mostBytes)
      draft.leave(item, `${here} is larger than 1 MiB`, "Put it into the image, or into a volume.");
    else if (addFile(item, target, path, draft) && !readOnly)
      draft.differs(
        item,
        `${target} is a copy of ${here}`,
        "A change of the file is deployed; what the service writes to it is lost.",
      );
    return true;
  }
  if (kind === "none" && readOnly) {
    item.problem(`${here} does not exist`, "The path is relative to the compose file.");
    return true;
  }
  const found = kind === "folder" ? filesBelow(path) : undefined;
  if (found === undefined || found.length === 0) return false;
  if (!readOnly && (kept.test(basename(path)) || !found.every((each) => written.test(each)))) return false;
  for (const each of found) {
    addFile(item, `${target.replace(/\/$/, "")}/${relative(path, each).split(sep).join("/")}`, each, draft);
  }
  draft.differs(
    item,
    `the files of ${here} are named one by one, and copied`,
    readOnly
      ? "Add new ones here, too."
      : "Add new ones here, too; what the service writes there goes with its replica.",
  );
  return true;
}

/** Two mounts of one place: the first counts. */
function addFile(item: Field, target: string, path: string, draft: Draft): boolean {
  if (Object.hasOwn(draft.map("files"), target)) {
    item.problem(`${target} is mounted twice`, "Remove one.");
    return false;
  }
  draft.merge("files", { [target]: relativePath(draft.around.folder, path) });
  return true;
}

/** Undefined where there are too many, or any that is too large. */
function filesBelow(folder: string): string[] | undefined {
  const found: string[] = [];
  const queue = [folder];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      const path = join(next, entry.name);
      if (kindOfPath(path) === "folder") queue.push(path);
      else if (kindOfPath(path) === "file") found.push(path);
      if (found.length > mostFiles || queue.length > mostFiles || kindOfPath(path) === "other") return undefined;
    }
  }
  return found.some((path) => statSync(path).size > mostBytes) ? undefined : found.toSorted();
}

/** `configs` and `secrets` of a service: files at a place in its replicas. */
export function translateMountedFiles(field: Field, draft: Draft): void {
  for (const item of field.items()) addMounted(item, String(field.key), draft);
}

function addMounted(item: Field, kind: string, draft: Draft): void {
  const source = (item.isMap ? item.get("source") : item)?.text;
  if (source === undefined) return item.isMap ? item.problem("it needs its `source`") : undefined;
  const declared = draft.around.root.get(kind)?.get(source);
  const one = kind === "configs" ? "config" : "secret";
  if (declared === undefined)
    return item.problem(`there is no ${one} ${source}`, `Declare it under \`${kind}\` beside \`services\`.`);
  const named = item.get("target")?.text;
  const place = kind === "configs" ? `/${source}` : `/run/secrets/${source}`;
  const target =
    named === undefined
      ? place
      : named.startsWith("/")
        ? named
        : `${kind === "configs" ? "" : "/run/secrets"}/${named}`;
  const file = declared.get("file");
  if (file !== undefined) return addDeclared(item, file, target, draft);
  const variable = declared.get("environment")?.text;
  if (variable !== undefined)
    return draft.leave(
      item,
      `the ${one} ${source} is the variable ${variable}, and no file`,
      `Write \`secrets: [${variable}]\` and read the variable, or save it as a file and write \`files: { ${target}: ./${source} }\`.`,
    );
  const isInline = declared.get("content") !== undefined;
  draft.leave(
    item,
    isInline
      ? `the text of the ${one} ${source} stands in the compose file`
      : `the ${one} ${source} is not in the compose file`,
    `Save it as a file, and write \`files: { ${target}: ./${source} }\`.`,
  );
}

function addDeclared(item: Field, file: Field, target: string, draft: Draft): void {
  const template = templateOf(file);
  if (template === undefined) return;
  const declared = valueNow(template, draft.around.variables);
  const path = resolve(file.folder, declared);
  if (kindOfPath(path) !== "file") {
    file.problem(
      `${declared} ${kindOfPath(path) === "none" ? "does not exist" : "is no file"}`,
      "The path is relative to the compose file.",
    );
    return;
  }
  addBoundFiles(item, path, target, true, draft);
}
