import type { Diagnostic } from "../errors/diagnostic.ts";
import { explainLoadFailure, loadModule } from "./modules.ts";
import type { Problems } from "./problems.ts";
import type { Tree } from "./tree.ts";
import { modulePaths } from "./user-resolvers.ts";

/**
 * Runs the plugins one after the other over the resolved declaration, which they change in place. `validate` looks at
 * what each left; its problems name the plugin, and no further one runs after them.
 */
export async function runPlugins(root: Tree, folder: string, problems: Problems, validate: () => void): Promise<void> {
  for (const { declared, index } of modulePaths(root, "plugin")) {
    const path = ["plugin", index];
    const fail = (what: string, error: unknown): void => {
      const { summary, hint } = explainLoadFailure(error);
      problems.add(path, { code: "plugin", summary: `the plugin ${declared} ${what}: ${summary}`, hint });
    };
    let plugin: unknown;
    try {
      plugin = await loadModule(declared, folder);
    } catch (error) {
      fail("cannot be loaded", error);
      return;
    }
    if (typeof plugin !== "function") {
      problems.add(path, {
        code: "plugin",
        summary: `${declared} exports no plugin`,
        hint: "Export an async function of the declaration.",
      });
      return;
    }
    try {
      // Whatever function the user exports is called with the declaration.
      await (plugin as (declaration: Tree) => unknown)(root);
    } catch (error) {
      fail("failed", error);
      return;
    }
    const before = problems.count;
    validate();
    const left = problems.takeSince(before).map((each) => blamed(each, declared));
    problems.put(left);
    if (left.some((each) => each.severity === "error")) return;
  }
}

function blamed(each: Diagnostic, plugin: string): Diagnostic {
  const detail = `The plugin ${plugin} left it so.`;
  return { ...each, detail: each.detail === undefined ? detail : `${each.detail} ${detail}` };
}
