import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  CtrlPlaneError,
  hasErrors,
  type Diagnostic,
  type KnownProviderType,
  type Provider,
  type ProviderDeclaration,
  type ProviderFactory,
  messageOf,
} from "@ctrlplane/core";

/** Turns `field` of a diagnostic into a place in the file. */
export type Locate = (field: string) => Pick<Diagnostic, "path" | "range"> | undefined;

/** The types that come with pctl. A package is loaded when a stack uses it, and not before. */
const builtIn: Readonly<Record<string, () => Promise<unknown>>> = {
  local: () => import("@ctrlplane/provider-local"),
  docker: () => import("@ctrlplane/provider-docker"),
};

/** Types that `pctl.yaml` can name without a package of one's own. */
export const builtInTypes: readonly KnownProviderType[] = [{ type: "local" }, { type: "docker" }];

/**
 * Makes the provider that a stack declares: a built-in type, or a module of the user's own by path or package name, found from
 * the configuration's folder, that exports `provider: ProviderFactory`. Undefined where there is no such type. Throws
 * `INVALID` with positions for options that the provider refuses.
 */
export async function resolveProvider(
  declaration: ProviderDeclaration,
  folder: string,
  locate: Locate,
): Promise<Provider | undefined> {
  const load = builtIn[declaration.type] ?? ownModule(declaration.type, folder);
  if (load === undefined) return undefined;
  const factory = factoryOf(await load(), declaration.type);
  const field = `providers.${declaration.name}`;
  const problems = factory.checkOptions(declaration.options).map((each): Diagnostic => {
    const full = each.field === undefined ? field : `${field}.${each.field}`;
    return { ...each, field: full, ...locate(full) };
  });
  if (hasErrors(problems)) {
    throw new CtrlPlaneError("INVALID", `provider ${declaration.name} cannot be made as declared`, {
      diagnostics: problems,
    });
  }
  return factory.create(declaration.options, { name: declaration.name, folder, env: process.env });
}

/** A module of the user's own is named by a path, or as a package with a slash in its name: `@acme/provider`, `acme/provider.js`. */
function ownModule(type: string, folder: string): (() => Promise<unknown>) | undefined {
  if (!type.includes("/")) return undefined;
  return async () => {
    try {
      const isPath = type.startsWith(".") || isAbsolute(type);
      const path = isPath ? resolve(folder, type) : createRequire(join(folder, "pctl.yaml")).resolve(type);
      // Looked up by Node; nothing is known of it before `factoryOf`.
      return (await import(pathToFileURL(path).href)) as unknown;
    } catch (error) {
      const message = messageOf(error);
      throw new CtrlPlaneError("INVALID", `the provider ${type} cannot be loaded: ${message}`, {
        target: type,
        hint: "A path is relative to the configuration's folder; a package has to be installed there.",
        cause: error,
      });
    }
  };
}

function factoryOf(module: unknown, type: string): ProviderFactory {
  const factory = (module as { provider?: Partial<ProviderFactory> }).provider; // a module's namespace is an object
  if (typeof factory?.create === "function" && typeof factory.checkOptions === "function")
    return factory as ProviderFactory; // checked here
  throw new CtrlPlaneError("INVALID", `${type} is no provider: it exports no factory under the name \`provider\``, {
    target: type,
    hint: "Export `provider: ProviderFactory` from it (@ctrlplane/core/provider).",
  });
}
