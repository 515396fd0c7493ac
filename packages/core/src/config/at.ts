import type { FieldPath } from "./field-path.ts";
import type { Problem, Problems } from "./problems.ts";

/** A place in the declaration, and where its problems go. */
export class At {
  readonly path: FieldPath;
  readonly #problems: Problems;

  constructor(path: FieldPath, problems: Problems) {
    this.path = path;
    this.#problems = problems;
  }

  child(key: string | number): At {
    return new At([...this.path, key], this.#problems);
  }

  problem(problem: Problem): undefined {
    this.#problems.add(this.path, problem);
    return undefined;
  }
}
