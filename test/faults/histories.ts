import * as fc from "fast-check";
import { errorCodes } from "@ctrlplane/core";
import type { Step } from "./scenarios.ts";
import type { Fault, FaultKind } from "./tap.ts";

/** A service as it is declared. */
export interface Declared {
  readonly image: string;
  readonly replicas: number;
  readonly strategy: "recreate" | "rolling";
  readonly on: "ref" | "other" | "both";
}

/** By name; there is always `web`, which commands are for. */
export type Declaration = Readonly<Record<string, Declared>>;

/** One thing that somebody does, and what strikes meanwhile. */
export type Deed =
  | { readonly kind: "declare"; readonly service: string; readonly as: Declared }
  | { readonly kind: "drop"; readonly service: string }
  | { readonly kind: "command"; readonly command: Step["command"]; readonly fault?: Fault };

export const first: Declaration = { web: { image: "ok:1", replicas: 1, strategy: "recreate", on: "ref" } };

/** The declaration after what was edited so far. */
export function edited(before: Declaration, deed: Deed): Declaration {
  if (deed.kind === "declare") return { ...before, [deed.service]: deed.as };
  if (deed.kind !== "drop") return before;
  return Object.fromEntries(Object.entries(before).filter(([name]) => name !== deed.service));
}

/** With an image that works wherever one does not: what has to be reached in the end. */
export function working(declaration: Declaration): Declaration {
  const repaired = Object.entries(declaration).map(([name, each]) => [
    name,
    each.image.startsWith("ok:") ? each : { ...each, image: "ok:9" },
  ]);
  return Object.fromEntries(repaired) as Declaration;
}

/** As entries of `services`. */
export function yamlOf(declaration: Declaration): string {
  const entries = Object.entries(declaration).map(([name, { image, replicas, strategy, on }]) => {
    const provider = on === "both" ? "[ref, other]" : on;
    const how = `strategy: { type: ${strategy}, timeout: 5s, drain: 0s }`;
    return `${name}: { image: "${image}", provider: ${provider}, scale: { replica: ${replicas} }, ${how} }`;
  });
  return entries.join(", ");
}

/** What runs where the declaration is reached: `shop-{service} {image}`, for each replica. */
export function runsOf(declaration: Declaration): string[] {
  return Object.entries(declaration)
    .flatMap(([name, { image, replicas, on }]) =>
      Array.from({ length: on === "both" ? 2 * replicas : replicas }, () => `shop-${name} ${image}`),
    )
    .sort();
}

const kinds: readonly FaultKind[] = [
  "kill-before",
  "kill-after",
  "lost-reply",
  "delayed",
  "doubled",
  "clock-back",
  ...errorCodes.map((code) => `error-${code}` as const),
];
const deaths: readonly FaultKind[] = ["kill-before", "kill-after"];

/** The `n`-th call of all; a run that makes fewer is not struck. Half of what strikes is a death. */
const fault: fc.Arbitrary<Fault> = fc.record({
  point: fc.integer({ min: 1, max: 120 }).map((n) => `#${n}`),
  kind: fc.oneof(fc.constantFrom(...deaths), fc.constantFrom(...kinds)),
});

const declared: fc.Arbitrary<Declared> = fc.record({
  image: fc.constantFrom("ok:1", "ok:2", "ok:3", "crash:1"),
  replicas: fc.integer({ min: 1, max: 3 }),
  strategy: fc.constantFrom("recreate", "rolling"),
  on: fc.constantFrom("ref", "other", "both"),
});

const commands = ["deploy", "rollback", "scale", "stop", "start", "restart", "destroy", "rebuild"] as const;

const command: fc.Arbitrary<Deed> = fc
  .record({
    // Most of what people do is to deploy.
    command: fc.oneof(fc.constant("deploy" as const), fc.constantFrom(...commands)),
    fault: fc.option(fault, { nil: undefined, freq: 3 }),
  })
  .map(({ command: name, fault: strikes }) => ({
    kind: "command",
    command: name,
    ...(strikes === undefined ? {} : { fault: strikes }),
  }));

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 4, arbitrary: command },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("declare" as const),
      service: fc.constantFrom("web", "api", "db"),
      as: declared,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), service: fc.constantFrom("api", "db") }) },
);

/** What somebody does to a stack in a row. */
export const histories: fc.Arbitrary<Deed[]> = fc.array(deed, { minLength: 2, maxLength: 12 });
