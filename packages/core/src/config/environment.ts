import type { FieldPath } from "./field-path.ts";
import { anyOf, nearest } from "./nearest.ts";
import type { Problems } from "./problems.ts";
import { isTree } from "./tree.ts";
import type { Marks, Tree } from "./tree.ts";

export interface Naming {
  /** `--name`. */
  readonly name?: string | undefined;
  /** `--env` or PCTL_ENV. */
  readonly environment?: string | undefined;
}

/**
 * Makes of the file what it says in one environment, in place: `environments` is merged away, `name` is the stack's.
 * Gives the environment's name where the file has any.
 */
export function chooseEnvironment(root: Tree, naming: Naming, marks: Marks, problems: Problems): string | undefined {
  if (naming.name !== undefined) root["name"] = naming.name;
  const { environments } = root;
  if (environments === undefined) {
    if (naming.environment !== undefined) warnUnused(naming.environment, problems);
    return undefined;
  }
  if (!isTree(environments)) {
    problems.add(["environments"], {
      code: "wrong-kind",
      summary: "environments must be a map of names",
      hint: "Write `environments: { production: {}, staging: {} }`.",
    });
    delete root["environments"];
    return undefined;
  }
  checkOverlays(environments, problems);
  const chosen = pick(environments, naming.environment, problems);
  const overlay = chosen === undefined ? undefined : environments[chosen];
  delete root["environments"];
  if (chosen === undefined) return undefined;
  const changes = isTree(overlay) ? overlay : {};
  const { name: own } = changes;
  merge(root, changes, marks);
  if (naming.name !== undefined) root["name"] = naming.name;
  else if (own === undefined && typeof root["name"] === "string") root["name"] = `${root["name"]}-${chosen}`;
  return chosen;
}

function warnUnused(environment: string, problems: Problems): void {
  problems.add([], {
    severity: "warning",
    code: "environment-unused",
    summary: `the environment ${environment} changes nothing: the file has no \`environments\``,
    hint: `Add \`environments: { ${environment}: {} }\`, or leave out --env and PCTL_ENV.`,
  });
}

function checkOverlays(environments: Tree, problems: Problems): void {
  for (const [name, overlay] of Object.entries(environments)) {
    const path: FieldPath = ["environments", name];
    if (!/^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(name))
      problems.add(path, {
        code: "bad-name",
        at: "key",
        summary: `${JSON.stringify(name)} cannot be the name of an environment`,
        hint: "Use letters, digits and hyphens.",
      });
    if (overlay !== null && !isTree(overlay))
      problems.add(path, {
        code: "wrong-kind",
        summary: `the environment ${name} must be a map of what differs`,
        hint: "Write {} where nothing does.",
      });
    if (isTree(overlay) && Object.hasOwn(overlay, "environments"))
      problems.add([...path, "environments"], {
        code: "unknown-key",
        at: "key",
        summary: "an environment cannot hold `environments`",
        hint: "Write each beside the others.",
      });
  }
}

function pick(environments: Tree, wanted: string | undefined, problems: Problems): string | undefined {
  const known = Object.keys(environments);
  if (wanted === undefined || wanted === "") {
    problems.add(["environments"], {
      code: "environment-missing",
      at: "key",
      summary: "the file declares environments, and none was chosen",
      hint: `Choose one with --env or PCTL_ENV: ${anyOf(known)}.`,
    });
    return undefined;
  }
  if (Object.hasOwn(environments, wanted)) return wanted;
  const near = nearest(wanted, known);
  problems.add(["environments"], {
    code: "environment-unknown",
    at: "key",
    summary: `there is no environment ${wanted}`,
    hint: near === undefined ? `Known are ${anyOf(known)}.` : `Did you mean ${near}? Known are ${anyOf(known)}.`,
  });
  return undefined;
}

/** Maps are merged, all else replaces; null removes. Marks go with what they mark. */
function merge(base: Tree, overlay: Tree, marks: Marks): void {
  for (const [key, value] of Object.entries(overlay)) {
    const before = Object.hasOwn(base, key) ? base[key] : undefined;
    if (value === null) delete base[key];
    else if (isTree(value) && isTree(before)) merge(before, value, marks);
    else {
      base[key] = isTree(value) ? withoutNulls(value) : value;
      const mark = marks.get(overlay, key);
      if (mark !== undefined) marks.set(base, key, mark);
    }
  }
}

/** What stands only in the environment has nothing to remove. */
function withoutNulls(tree: Tree): Tree {
  for (const [key, value] of Object.entries(tree)) {
    if (value === null) delete tree[key];
    else if (isTree(value)) withoutNulls(value);
  }
  return tree;
}
