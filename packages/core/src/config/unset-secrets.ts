import type { FieldPath } from "./field-path.ts";
import type { Problem, Problems } from "./problems.ts";

/** Secrets that were asked for and are not set: told together, as one problem. */
export class UnsetSecrets {
  readonly #found = new Map<string, { path: FieldPath; range: Pick<Problem, "range"> }>();

  /** The first place that asks for a name counts. */
  note(name: string, path: FieldPath, range: Pick<Problem, "range">): void {
    if (!this.#found.has(name)) this.#found.set(name, { path, range });
  }

  report(problems: Problems): void {
    const [first] = this.#found;
    if (first === undefined) return;
    const names = Array.from(this.#found.keys());
    const [, { path, range }] = first;
    problems.add(path, {
      code: "secret-unset",
      summary:
        names.length === 1
          ? `the secret ${names.join("")} is not set`
          : `${names.length} secrets are not set: ${names.join(", ")}`,
      hint: `Set ${names.length === 1 ? "it" : "them"} in the environment, in .env, or in a file given by --env-file.`,
      ...range,
    });
    this.#found.clear();
  }
}
