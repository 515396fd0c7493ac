import { bindNamedFunction, bindResolver, envResolver, fileResolver } from "./bound-resolver.ts";
import type { BoundResolver } from "./bound-resolver.ts";
import { explainLoadFailure, loadModule } from "./modules.ts";
import type { Problems } from "./problems.ts";
import { isResolver } from "./resolver.ts";
import type { Resolver, ResolverContext } from "./resolver.ts";
import type { Tree } from "./tree.ts";

const ownNames = new Set(["self", "service", "secret"]);

/** Our resolvers, the caller's, and those of the modules under `resolver:`, by their names. */
export async function collectResolvers(
  root: Tree,
  own: readonly Resolver[],
  context: ResolverContext,
  problems: Problems,
): Promise<Map<string, BoundResolver>> {
  const found = new Map<string, BoundResolver>();
  for (const resolver of [envResolver, fileResolver, ...own]) found.set(resolver.name, bindResolver(resolver, context));
  for (const { declared, index } of modulePaths(root, "resolver")) {
    const path = ["resolver", index];
    const bound = await loadResolver(declared, root, context, (problem) => problems.add(path, problem));
    if (bound === undefined) continue;
    if (!/^[A-Za-z_][\w-]*$/.test(bound.name)) {
      problems.add(path, {
        code: "resolver",
        summary: `${declared} gives no resolver with a name`,
        hint: "The function that the constructor returns needs a name of letters, digits, `_` and `-`.",
      });
    } else if (found.has(bound.name) || ownNames.has(bound.name)) {
      problems.add(path, {
        code: "resolver-twice",
        summary: `the resolver name ${bound.name} is taken already`,
        hint: "Give the function, or the `name` in defineResolver, another name.",
      });
    } else found.set(bound.name, bound);
  }
  return found;
}

async function loadResolver(
  declared: string,
  root: Tree,
  context: ResolverContext,
  report: (problem: { code: string; summary: string; hint?: string }) => void,
): Promise<BoundResolver | undefined> {
  try {
    const exported = await loadModule(declared, context.folder);
    if (isResolver(exported)) return bindResolver(exported, context);
    if (typeof exported !== "function") {
      report({
        code: "resolver",
        summary: `${declared} exports no resolver`,
        hint: "Export a class that extends Function, or defineResolver({ name, resolve }).",
      });
      return undefined;
    }
    // pctl 1.1's contract: a class whose constructor takes the declaration and returns a named function.
    const made: unknown = Reflect.construct(exported, [root]);
    if (typeof made !== "function") {
      report({
        code: "resolver",
        summary: `the class in ${declared} makes no function`,
        hint: "Its constructor returns a named function (key, fallback).",
      });
      return undefined;
    }
    const secret = "secret" in made && made.secret === true;
    // Whatever function the user returned is called with key and fallback.
    return bindNamedFunction(made as (key: string, fallback: unknown) => unknown, secret);
  } catch (error) {
    const { summary, hint } = explainLoadFailure(error);
    report({
      code: "resolver",
      summary: `the resolver ${declared} cannot be loaded: ${summary}`,
      ...(hint === undefined ? {} : { hint }),
    });
    return undefined;
  }
}

export function modulePaths(root: Tree, key: "resolver" | "plugin"): { declared: string; index: number }[] {
  const declared = root[key];
  const items: unknown[] = Array.isArray(declared) ? declared : [];
  return items.flatMap((each, index) => (typeof each === "string" && each !== "" ? [{ declared: each, index }] : []));
}
