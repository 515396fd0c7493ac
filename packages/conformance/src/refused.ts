import type { Capability, Diagnostic } from "@ctrlplane/core/provider";

/**
 * The platform has nothing of what a behaviour asks for: nothing is promised, nothing broken. A harness throws it where there is
 * nothing to break or to look at, e.g. no process to kill.
 */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** The provider's `check` says beforehand that it cannot do it. */
export function refusedByCheck(diagnostics: readonly Diagnostic[]): Refused {
  return new Refused(diagnostics.map((each) => `${each.field ?? each.code}: ${each.summary}`).join("; "));
}

const fields: Readonly<Record<string, Capability>> = {
  volumes: "volumes",
  domains: "custom_domains",
  tls: "tls",
};

/** Diagnostics that deny what a declared capability promises. */
export function denials(diagnostics: readonly Diagnostic[], needs: readonly Capability[]): readonly Diagnostic[] {
  return diagnostics.filter(({ field = "" }) => {
    const root = field.split(/[.[]/)[0] ?? "";
    const capability = fields[root];
    if (capability !== undefined) return needs.includes(capability);
    if (root === "strategy") return needs.some((each) => ["rolling", "blue_green", "canary"].includes(each));
    return field === "scale.replica" && needs.includes("autoscale");
  });
}
