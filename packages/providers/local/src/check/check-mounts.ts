import { isAbsolute, normalize } from "node:path";
import type { Diagnostic, ServiceSpec } from "@ctrlplane/core/provider";
import { refused, withoutEffect } from "./finding.ts";

/** Volumes and files: what is linked into the working folder of a replica. */
export function checkMounts(spec: ServiceSpec): readonly Diagnostic[] {
  const volumes = spec.volumes.map(({ path }, index) => ({ path, field: `volumes[${index}].path` }));
  const files = spec.files.map(({ path }) => ({ path, field: `files.${path}` }));
  const mounts = [...volumes, ...files];
  return [
    ...mounts.flatMap(({ path, field }) => checkPath(path, field)),
    ...checkNested(mounts),
    ...spec.volumes.flatMap((volume, index): Diagnostic[] => {
      const field = `volumes[${index}]`;
      return [
        ...(volume.readOnly
          ? [
              withoutEffect(
                spec,
                `${field}.readOnly`,
                "volume-read-only",
                "`local` cannot make a volume read-only",
                "Remove it.",
              ),
            ]
          : []),
        ...(volume.sizeMb === undefined
          ? []
          : [
              withoutEffect(
                spec,
                `${field}.size`,
                "volume-size",
                "`local` cannot limit the size of a volume",
                "Remove it.",
              ),
            ]),
        ...(volume.host === undefined || isAbsolute(volume.host)
          ? []
          : [
              refused(
                `${field}.host`,
                "volume-host",
                "`host` must be an absolute path",
                "For example `host: /srv/uploads`.",
              ),
            ]),
      ];
    }),
  ];
}

function checkPath(path: string, field: string): readonly Diagnostic[] {
  if (isAbsolute(path)) {
    const relative = path.replace(/^\/+/, "");
    const summary = `${path} is absolute: \`local\` links volumes and files into the working folder of each replica`;
    return [
      refused(
        field,
        "path-absolute",
        summary,
        `Write a relative path, e.g. \`${relative === "" ? "data" : relative}\`, and use that in the program.`,
      ),
    ];
  }
  const clean = normalizePath(path);
  if (clean === "" || clean === "." || clean.startsWith("..")) {
    return [
      refused(
        field,
        "path-outside",
        `${JSON.stringify(path)} is no place in the working folder`,
        "Write a relative path below it, e.g. `data`.",
      ),
    ];
  }
  return [];
}

/** A link is no folder of the replica's own: what would lie in it would lie in the volume. */
function checkNested(mounts: readonly { readonly path: string; readonly field: string }[]): readonly Diagnostic[] {
  return mounts.flatMap(({ path, field }, index): Diagnostic[] => {
    const clean = normalizePath(path);
    const outer = mounts.find((other, at) => {
      const otherPath = normalizePath(other.path);
      return at !== index && (clean.startsWith(`${otherPath}/`) || (otherPath === clean && at < index));
    });
    if (outer === undefined) return [];
    return [
      refused(
        field,
        "path-nested",
        `${path} lies in ${outer.path}, which is mounted itself`,
        "Choose paths of which none contains another.",
      ),
    ];
  });
}

export function normalizePath(path: string): string {
  return path === "" ? "" : normalize(path).replace(/\/+$/, "");
}
