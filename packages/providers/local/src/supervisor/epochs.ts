import { CtrlPlaneError } from "@ctrlplane/core/provider";
import { readJsonFile, writeJsonFile } from "../process/json-file.ts";
import type { FenceToken } from "./operations.ts";

/** Refuses the changes of those whose lease was taken over. */
export class Epochs {
  readonly #path: string;
  readonly #highest: Map<string, number>;

  constructor(path: string) {
    this.#path = path;
    this.#highest = new Map(Object.entries(readJsonFile<Record<string, number>>(path) ?? {}));
  }

  /** Throws `CONFLICT` about the lease where a higher epoch of the stack was seen, also by an earlier supervisor. */
  check({ stack, epoch }: FenceToken): void {
    const highest = this.#highest.get(stack) ?? 0;
    if (epoch < highest) {
      throw new CtrlPlaneError(
        "CONFLICT",
        `another change of ${stack} has begun (epoch ${highest}, this one is ${epoch})`,
        {
          target: "lease",
          hint: "Run the command again.",
        },
      );
    }
    if (epoch === highest) return;
    this.#highest.set(stack, epoch);
    writeJsonFile(this.#path, Object.fromEntries(this.#highest), { durable: true });
  }
}
