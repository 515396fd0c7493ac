import type { HealthSpec } from "../model/spec.ts";
import type { PortSpec } from "../model/resources.ts";
import { anyOf } from "./nearest.ts";
import type { At } from "./at.ts";
import type { DeclaredService } from "./schema/service.ts";

type Declared = NonNullable<DeclaredService["health"]>;

/** `isDefault`: `onfailure` was not declared, but filled in as pctl 1.1 did. */
export function readHealth(
  health: Declared,
  ports: readonly PortSpec[],
  isDefault: boolean,
  at: At,
): HealthSpec | undefined {
  const probe = readProbe(health, ports, at);
  if (probe === undefined) return undefined;
  return {
    probe,
    intervalMs: health.interval ?? 1000,
    timeoutMs: health.timeout ?? 2000,
    retries: health.retries ?? 3,
    graceMs: health.grace ?? 30_000,
    onFailure: { action: health.onfailure ?? "restart", declared: health.onfailure !== undefined && !isDefault },
  };
}

function readProbe(health: Declared, ports: readonly PortSpec[], at: At): HealthSpec["probe"] | undefined {
  const { http, tcp, command, port } = health;
  const given = [http !== undefined && "http", tcp === true && "tcp", command !== undefined && "command"].filter(
    (each) => each !== false,
  );
  const [kind] = given;
  // A probe that could not be read is told already.
  if (
    kind === undefined &&
    (["http", "tcp", "command"] as const).some((each) => Object.hasOwn(health, each) && health[each] === undefined)
  )
    return undefined;
  if (kind === undefined)
    return at.problem({
      code: "missing",
      at: "key",
      summary: "health says nothing to probe",
      hint: "Add http: /path, tcp: true, or command:.",
    });
  if (given.length > 1)
    return at.problem({
      code: "wrong-value",
      at: "key",
      summary: `health has ${given.join(" and ")}; it takes one of them`,
      hint: "Keep one.",
    });
  if (command !== undefined) {
    if (port !== undefined)
      return at
        .child("port")
        .problem({ code: "wrong-value", summary: "port means nothing with command", hint: "Remove it." });
    if (command === "") return at.child("command").problem({ code: "wrong-value", summary: "command is empty" });
    return { kind: "command", command: typeof command === "string" ? { shell: command } : { args: command } };
  }
  const usable = ports.filter((each) => each.protocol !== "udp").map((each) => each.containerPort);
  if (port === undefined && usable.length === 0)
    return at.problem({
      code: "missing",
      at: "key",
      summary: `health.${kind} needs a port, and the service has none`,
      hint: "Add `ports: [{ containerPort: 3000 }]`.",
    });
  if (port !== undefined && !usable.includes(port)) {
    return at.child("port").problem({
      code: "wrong-value",
      summary: `port ${port} is none of this service's ports`,
      hint:
        usable.length === 0
          ? `Add it: ports: [{ containerPort: ${port} }].`
          : `Its ports are ${anyOf(usable.map(String))}.`,
    });
  }
  return {
    ...(http === undefined ? { kind: "tcp" } : { kind: "http", path: http }),
    ...(port === undefined ? {} : { port }),
  };
}
