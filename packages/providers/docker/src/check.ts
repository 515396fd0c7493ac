import type {
  Diagnostic,
  InstanceIdentity,
  ObservedInstance,
  PlatformHealth,
  ServiceSpec,
} from "@ctrlplane/core/provider";
import { publishesItself } from "./container-body.ts";
import { gapOf } from "./front.ts";
import type { DockerFacts } from "./health.ts";

/** What this engine cannot do of a spec, and what the way there costs. Pure. */
export function check(
  spec: ServiceSpec,
  platform: PlatformHealth,
  _instance: InstanceIdentity,
  observed?: ObservedInstance,
): readonly Diagnostic[] {
  // What `engineHealth` found.
  const facts = platform.facts as unknown as DockerFacts;
  const impossible = [...fronts(spec), ...udp(spec), ...scale(spec, facts), ...health(spec), ...schedule(spec)];
  return [...impossible.map((each) => accepted(spec, each)), ...gapOf(spec, observed)];
}

/** A field that the user allowed to be ignored is told, and stops nothing. */
function accepted({ accept }: ServiceSpec, found: Diagnostic): Diagnostic {
  const isAccepted = found.severity === "error" && accept.some((each) => found.field?.startsWith(each) === true);
  return isAccepted ? { ...found, severity: "warning" } : found;
}

function fronts({ domains, tls }: ServiceSpec): readonly Diagnostic[] {
  const hint =
    "Put a proxy in front that has the domains and certificates (Caddy, Traefik, nginx), as a service of its own.";
  return [
    ...(domains.length === 0 ? [] : [unsupported("domains", "Docker has no domains", hint)]),
    ...(tls === undefined ? [] : [unsupported("tls", "Docker ends no TLS", hint)]),
  ];
}

/** A gateway passes no UDP, and two containers cannot have one port. */
function udp(spec: ServiceSpec): readonly Diagnostic[] {
  const index = spec.ports.findIndex((each) => each.protocol === "udp" && each.hostPort !== undefined);
  if (index === -1 || publishesItself(spec)) return [];
  const hint = "Give it `strategy: recreate` and one replica: then its container has the port itself.";
  return [unsupported(`ports[${index}].protocol`, "a gateway passes no UDP", hint)];
}

function scale({ scale: wanted }: ServiceSpec, facts: DockerFacts): readonly Diagnostic[] {
  const limits = [
    ...(wanted.cpuMillis !== undefined && !facts.cpuLimit
      ? [unsupported("scale.cpu", "this engine cannot limit processor time", "Its host lacks the cgroup for it.")]
      : []),
    ...(wanted.memoryMb !== undefined && !facts.memoryLimit
      ? [unsupported("scale.memory", "this engine cannot limit memory", "Its host lacks the cgroup for it.")]
      : []),
  ];
  const disk =
    wanted.diskMb === undefined
      ? []
      : [
          unsupported(
            "scale.disk",
            "Docker cannot limit a container's disk on every host",
            "Leave it out, or accept it.",
          ),
        ];
  const gpu =
    (wanted.gpuCount ?? 0) > 0 && !facts.gpus
      ? [
          unsupported(
            "scale.gpu",
            "this engine has no GPU runtime",
            "Install the NVIDIA container toolkit on the host.",
          ),
        ]
      : [];
  const most = facts.cpus * 1000;
  const tooMuch =
    (wanted.cpuMillis ?? 0) > most
      ? [unsupported("scale.cpu", `${wanted.cpuMillis}m of processor time, and the host has ${most}m`, "Ask for less.")]
      : [];
  return [...limits, ...disk, ...gpu, ...tooMuch, ...range(wanted.replicas)];
}

function range(replicas: ServiceSpec["scale"]["replicas"]): readonly Diagnostic[] {
  if (typeof replicas === "number") return [];
  return [
    {
      severity: "info",
      code: "range-is-maximum",
      field: "scale.replica",
      summary: `Docker scales nothing by itself: ${replicas.max} replicas run, the most of the range`,
    },
  ];
}

function health({ health: wanted }: ServiceSpec): readonly Diagnostic[] {
  if (wanted?.onFailure.action !== "restart") return [];
  const summary = "Docker restarts a container that ends, not one that is unhealthy";
  const hint = "Have the health command end the program, or let `onfailure: stop` say what is meant.";
  return [
    {
      severity: wanted.onFailure.declared ? "warning" : "info",
      code: "unhealthy-stays",
      field: "health",
      summary,
      hint,
    },
  ];
}

function schedule({ job }: ServiceSpec): readonly Diagnostic[] {
  if (job?.schedule === undefined) return [];
  const hint = "Let cron or a CI run `pctl run`, or give this job to another provider (`local` has schedules).";
  return [unsupported("schedule", "Docker starts nothing at a time", hint)];
}

function unsupported(field: string, summary: string, hint: string): Diagnostic {
  return { severity: "error", code: "unsupported", field, summary, hint };
}
