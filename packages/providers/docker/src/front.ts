import { label } from "@ctrlplane/core/provider";
import type { Diagnostic, ObservedInstance, ServiceSpec } from "@ctrlplane/core/provider";
import { publishesItself } from "./container-body.ts";
import type { ContainerSummary } from "./engine-types.ts";

/** Who stands at the host's ports of an instance: what `check` knows of it (`ObservedInstance.facts`). */
export interface FrontFacts {
  /** A replica publishes ports itself, and is asked there now. */
  readonly isDirect: boolean;
  readonly hasGateway: boolean;
}

/** Pure. `containers`: those of one instance. */
export function frontFacts(containers: readonly ContainerSummary[]): FrontFacts {
  const running = containers.filter((each) => each.State === "running");
  return {
    isDirect: running.some(
      (each) => each.Labels?.[label.role] === undefined && each.Ports.some((port) => port.PublicPort !== undefined),
    ),
    hasGateway: running.some((each) => each.Labels?.[label.role] === "gateway"),
  };
}

/** True where no gateway can stand before it: UDP passes none. */
export function needsNoGateway(spec: Pick<ServiceSpec, "strategy" | "scale" | "ports">): boolean {
  return publishesItself(spec) && spec.ports.some((each) => each.protocol === "udp" && each.hostPort !== undefined);
}

/** The ports change hands, and whoever has them has to let go first: in between nobody answers. */
export function gapOf(spec: ServiceSpec, observed: ObservedInstance | undefined): readonly Diagnostic[] {
  // What `frontFacts` said.
  const { isDirect = false, hasGateway = false } = (observed?.facts ?? {}) as Partial<FrontFacts>;
  const ports = spec.ports.flatMap((each) => (each.hostPort === undefined ? [] : [String(each.hostPort)]));
  if (ports.length === 0) return [];
  const at = `port${ports.length === 1 ? "" : "s"} ${ports.join(", ")}`;
  if (isDirect && !publishesItself(spec)) {
    const then = spec.volumes.length === 0 ? "has ended" : "has ended and come back";
    return [gap(`${at}: its container lets go, and a gateway takes over once that ${then}`)];
  }
  if (hasGateway && needsNoGateway(spec)) return [gap(`${at}: its gateway lets go, and the container takes over`)];
  return [];
}

function gap(what: string): Diagnostic {
  return {
    severity: "warning",
    code: "gap",
    field: "strategy",
    summary: `nobody answers for a moment at ${what}`,
    hint: "Deploy it when that does no harm; it happens this once.",
  };
}
