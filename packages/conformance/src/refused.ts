import type { Capability, Diagnostic } from "@ctrlplane/core/provider";

/** The provider's `check` says beforehand that it cannot do what a behaviour asks for: nothing is promised, nothing broken. */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((each) => `${each.field ?? each.code}: ${each.summary}`).join("; "));
  }
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
