import { isAbsolute, join, resolve } from "node:path";
import { homedir } from "node:os";
import type { Diagnostic, ProviderEnvironment } from "@ctrlplane/core/provider";

/** Problems with the options of a `local` provider; `dir` is the only one. Pure. */
export function checkOptions(options: Readonly<Record<string, unknown>>): readonly Diagnostic[] {
  return Object.entries(options).flatMap(([name, value]): Diagnostic[] => {
    const field = `options.${name}`;
    if (name !== "dir") {
      return [
        {
          severity: "error",
          code: "unknown-option",
          field,
          summary: `\`local\` has no option \`${name}\``,
          hint: "The one option of `local` is `dir`, the folder for its data.",
        },
      ];
    }
    if (typeof value === "string" && value.trim() !== "" && !value.includes("\0")) return [];
    return [
      {
        severity: "error",
        code: "invalid-option",
        field,
        summary: "`dir` must be the path of a folder",
        hint: "For example `dir: ~/apps`; without it the data lies in `~/.local/share/pctl/local`.",
      },
    ];
  });
}

/**
 * Absolute path of the data folder: option `dir` (relative to the configuration's folder, `~/` is the home folder), else
 * `PCTL_LOCAL_DIR`, else `$XDG_DATA_HOME/pctl/local`, else `~/.local/share/pctl/local`. No I/O.
 */
export function dataFolder(options: Readonly<Record<string, unknown>>, environment: ProviderEnvironment): string {
  const home = environment.env["HOME"] ?? homedir();
  const { dir } = options;
  if (typeof dir === "string") {
    return resolve(environment.folder, dir === "~" ? home : dir.startsWith("~/") ? join(home, dir.slice(2)) : dir);
  }
  const override = environment.env["PCTL_LOCAL_DIR"];
  if (override !== undefined && override !== "") return resolve(override);
  const xdg = environment.env["XDG_DATA_HOME"];
  // The XDG specification has relative paths ignored.
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, ".local/share");
  return join(base, "pctl/local");
}
