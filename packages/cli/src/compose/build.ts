import { existsSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import type { Draft } from "./draft.ts";
import type { Field } from "./field.ts";
import { variablesOf } from "./environment.ts";
import { parseInterpolation } from "./interpolation.ts";
import { templateOf, valueNow, writePlain } from "./variables.ts";

/** `image` and `build` of a service: what it runs. False where it runs nothing that pctl could make. */
export function translateImage(service: Field, draft: Draft): boolean {
  const [image, build] = [service.get("image"), service.get("build")];
  if (build !== undefined) {
    draft.begin("build");
    const made = translateBuild(build, service.get("platform"), draft);
    if (made) {
      if (image !== undefined) sayName(image, draft);
      return true;
    }
    if (image === undefined) return false;
  }
  draft.begin("image");
  if (image === undefined) {
    service.problem(`${draft.name} has neither \`image\` nor \`build\``, "Add one of them.");
    return false;
  }
  const template = templateOf(image);
  if (template !== undefined) draft.set("image", writePlain(template, draft.around.variables));
  const platform = service.get("platform");
  if (platform !== undefined && build === undefined)
    draft.leave(
      platform,
      "`platform` chooses no image",
      "The engine fetches the one for its own; name another by its digest.",
    );
  return true;
}

function sayName(image: Field, draft: Draft): void {
  draft.begin("image");
  draft.differs(
    image,
    "images that are built get names of pctl's own",
    "They travel between the hosts by themselves; `registry: URL` pushes them.",
  );
}

function translateBuild(build: Field, platform: Field | undefined, draft: Draft): boolean {
  const { variables, folder } = draft.around;
  const at = build.isMap ? build.get("context") : build;
  const template = at === undefined ? undefined : templateOf(at);
  const declared = template === undefined ? "." : valueNow(template, variables);
  if (/^(https?|git|ssh):\/\/|^git@|^github\.com\//.test(declared)) {
    draft.leave(build, `the context ${declared} is no folder`, "Clone it, and name the folder.");
    return false;
  }
  const context = resolve(build.folder, declared);
  if (!existsSync(context)) {
    (at ?? build).problem(`${declared} does not exist`, "The path is relative to the compose file.");
    return false;
  }
  const shown = relativePath(folder, context);
  const inline = build.get("dockerfile_inline");
  if (inline !== undefined)
    draft.leave(inline, "a Dockerfile inside the compose file", "Save it as a file, and name it under `dockerfile`.");
  const rest = build.isMap ? detailsOf(build, platform, draft) : platformOf(platform, draft);
  if (Object.keys(rest).length === 0) draft.set("image", shown);
  else draft.set("build", { context: shown, ...rest });
  return true;
}

function detailsOf(build: Field, platform: Field | undefined, draft: Draft): Record<string, unknown> {
  const { variables } = draft.around;
  const details: Record<string, unknown> = {};
  for (const key of ["dockerfile", "target"] as const) {
    const field = build.get(key);
    const template = field === undefined ? undefined : templateOf(field);
    const text = template === undefined ? "" : valueNow(template, variables);
    if (text !== "" && !(key === "dockerfile" && text === "Dockerfile")) details[key] = text;
  }
  const args = argsOf(build.get("args"), draft);
  if (Object.keys(args).length > 0) details["args"] = args;
  const secrets = secretsOf(build.get("secrets"), draft);
  if (secrets.length > 0) details["secrets"] = secrets;
  const [first, ...more] = build.get("platforms")?.items() ?? [];
  if (more.length > 0)
    draft.leave(
      build.get("platforms") ?? build,
      "an image is built for one platform",
      "Build the others in CI, and name the image.",
    );
  Object.assign(details, platformOf(first ?? platform, draft));
  for (const each of build.entries()) sayLost(each, draft);
  return details;
}

function platformOf(platform: Field | undefined, draft: Draft): Record<string, string> {
  const template = platform === undefined ? undefined : templateOf(platform);
  return template === undefined ? {} : { platform: valueNow(template, draft.around.variables) };
}

function argsOf(args: Field | undefined, draft: Draft): Record<string, string> {
  const { variables } = draft.around;
  const found: Record<string, string> = {};
  for (const [name, value, at] of args === undefined ? [] : variablesOf(args)) {
    const template = parseInterpolation(value ?? `\${${name}:-}`);
    if (template === undefined) templateOf(at);
    else found[name] = writePlain(template, variables);
  }
  return found;
}

/** Names; where each has its value is looked up in the file's `secrets`. */
function secretsOf(secrets: Field | undefined, draft: Draft): string[] {
  const top = draft.around.root.get("secrets");
  return (secrets?.items() ?? []).flatMap((item) => {
    const source = (item.isMap ? item.get("source") : item)?.text;
    if (source === undefined) return [];
    const id = item.get("target")?.text ?? source;
    const declared = top?.get(source);
    const variable = declared?.get("environment")?.text;
    const from = variable ?? declared?.get("file")?.text;
    if (from !== undefined && from !== id)
      draft.differs(
        item,
        `the build's secret ${id} takes its value from ${variable === undefined ? `the file ${from}` : from} in compose`,
        `Here it is the variable ${id}, in the environment or .env.`,
      );
    return [id];
  });
}

const lost: Readonly<Record<string, string>> = {
  cache_from: "The engine's own cache is used; equal content is not built again.",
  cache_to: "The engine's own cache is used; equal content is not built again.",
  additional_contexts: "Put what is needed below the context, or build the other image first and name it in FROM.",
  ssh: "Give the build a token by `secrets`, or fetch before it.",
  network: "Builds have the engine's own network.",
  extra_hosts: "Builds have the engine's own network.",
  shm_size: "Builds have the engine's own limits.",
  ulimits: "Builds have the engine's own limits.",
  privileged: "Builds get no further rights.",
  entitlements: "Builds get no further rights.",
  isolation: "It is for Windows.",
  labels: "Write LABEL in the Dockerfile.",
  tags: "Images get names of pctl's own.",
};

function sayLost(each: Field, draft: Draft): void {
  const instead = lost[String(each.key)];
  if (instead !== undefined) draft.leave(each, `\`build.${each.key}\` has no counterpart`, instead);
}

/** With `./` in front, as `pctl.yaml` tells paths from names. */
export function relativePath(folder: string, path: string): string {
  const shown = relative(folder, path).split(sep).join("/");
  return shown === "" ? "." : shown.startsWith("..") ? shown : `./${shown}`;
}
