import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { BuildSpec, ImageSpec } from "../model/spec.ts";
import type { At } from "./at.ts";
import type { DeclaredService } from "./schema/service.ts";

/** Registry, path of lower-case words, tag, digest. */
const reference =
  /^(?:[A-Za-z0-9.-]+(?::\d+)?\/|\[[0-9a-fA-F:]+\](?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,})?$/;

/** What `image` or `build` means; whether files that it names exist is looked at too. */
export function readImage(
  declared: DeclaredService,
  folder: string,
  mustExist: boolean,
  at: At,
): ImageSpec | undefined {
  const { image, build } = declared;
  if (image !== undefined && build !== undefined)
    return at.child("build").problem({
      code: "image-and-build",
      at: "key",
      summary: "image and build exclude each other",
      hint: "Keep `build` for a context with arguments, or `image` for all else.",
    });
  if (build !== undefined || Object.hasOwn(declared, "build")) {
    if (build === undefined) return undefined;
    const spec = readBuild(build, folder);
    if (mustExist && !existsSync(spec.context))
      return at.child("build").child("context").problem(missing(build.context));
    return { kind: "build", build: spec };
  }
  // A value that could not be read is told already.
  if (image === undefined && Object.hasOwn(declared, "image")) return undefined;
  if (image === undefined)
    return at.problem({
      code: "missing",
      at: "key",
      summary: "image is missing",
      hint: "Add image: ./folder, image: ./Dockerfile or an image reference such as nginx:1.27; or `build`.",
    });
  if (/^(\.{1,2}([/\\]|$)|\/)/.test(image)) {
    const path = resolve(folder, image);
    if (mustExist && !existsSync(path)) return at.child("image").problem(missing(image));
    return { kind: "path", path, declared: image };
  }
  if (reference.test(image)) return { kind: "reference", reference: image };
  const hint = existsSync(resolve(folder, image))
    ? `For the file or folder write ./${image}.`
    : "A path begins with ./; a reference is lower case, such as nginx:1.27.";
  return at
    .child("image")
    .problem({ code: "image", summary: `${JSON.stringify(image)} is neither a path nor an image reference`, hint });
}

function missing(declared: string): { code: string; summary: string; hint: string } {
  return {
    code: "image-missing",
    summary: `${declared} does not exist`,
    hint: "Paths are relative to the configuration file.",
  };
}

function readBuild(build: NonNullable<DeclaredService["build"]>, folder: string): BuildSpec {
  const context = resolve(folder, build.context);
  return {
    context,
    args: build.args ?? {},
    secrets: build.secrets ?? [],
    ...(build.dockerfile === undefined ? {} : { dockerfile: resolve(context, build.dockerfile) }),
    ...(build.target === undefined ? {} : { target: build.target }),
    ...(build.platform === undefined ? {} : { platform: build.platform }),
  };
}
