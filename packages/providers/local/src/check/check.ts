import { constants } from "node:os";
import type { Diagnostic, InstanceIdentity, PlatformHealth, ServiceSpec } from "@ctrlplane/core/provider";
import { isHttp } from "../address.ts";
import { factsOf } from "../facts.ts";
import { checkMounts } from "./check-mounts.ts";
import { checkPorts } from "./check-ports.ts";
import { checkScale } from "./check-scale.ts";
import { refused, told, withoutEffect } from "./finding.ts";

/** `Provider.check` of `local`: what processes of this machine cannot do of a spec. Pure. */
export function check(
  spec: ServiceSpec,
  platform: Pick<PlatformHealth, "facts">,
  instance: InstanceIdentity,
): readonly Diagnostic[] {
  const facts = factsOf(platform);
  return [
    ...checkImage(spec),
    ...checkCommand(spec),
    ...checkEnvironment(spec),
    ...checkScale(spec, facts),
    ...checkPorts(spec, facts, instance),
    ...checkMounts(spec),
    ...checkEntrance(spec),
    ...checkHealth(spec),
    ...checkStop(spec),
  ];
}

function checkImage({ image }: ServiceSpec): readonly Diagnostic[] {
  const instead = "Name a folder or a file, e.g. `image: ./web`; images need a provider that runs containers.";
  if (image.kind === "reference") {
    return [
      refused("image", "image-reference", `\`local\` runs files, and ${image.reference} is a container image`, instead),
    ];
  }
  if (image.kind === "build")
    return [refused("build", "image-build", "`local` builds nothing: it runs files as they are", instead)];
  return [];
}

function checkCommand({ command, entrypoint }: ServiceSpec): readonly Diagnostic[] {
  if (command === undefined) return [];
  if ("shell" in command) {
    if (command.shell.trim() === "")
      return [refused("command", "command-empty", "`command` is empty", "Write what to run, or remove it.")];
    return [told("command", "command-shell", "`command` runs by `/bin/sh -c`")];
  }
  const isEmpty = command.args.length === 0 && (entrypoint ?? []).length === 0;
  return isEmpty
    ? [refused("command", "command-empty", "`command` is an empty list", "Write what to run, or remove it.")]
    : [];
}

/** What the system cannot hand to a process. */
function checkEnvironment({ env }: ServiceSpec): readonly Diagnostic[] {
  return Object.entries(env).flatMap(([name, value]): Diagnostic[] => {
    if (name === "" || name.includes("=") || name.includes("\0")) {
      return [
        refused(
          `env.${name}`,
          "env-name",
          `${JSON.stringify(name)} is no name of a variable`,
          "Names contain neither `=` nor NUL.",
        ),
      ];
    }
    if (!value.includes("\0")) return [];
    return [
      refused(
        `env.${name}`,
        "env-value",
        `env.${name} contains a NUL character, which no process can be given`,
        "Encode the value, e.g. in base64.",
      ),
    ];
  });
}

function checkEntrance(spec: ServiceSpec): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  if (spec.domains.length > 0 && !spec.ports.some((each) => each.hostPort !== undefined && isHttp(each.protocol))) {
    found.push(
      withoutEffect(
        spec,
        "domains",
        "domains",
        "`domains` choose among the requests at a published HTTP port, and the service has none",
        "Publish one, e.g. `ports: [8080:3000]`.",
      ),
    );
  }
  if (spec.tls !== undefined) {
    found.push(
      withoutEffect(
        spec,
        "tls",
        "tls",
        "`local` does not end TLS",
        "Publish a port, and put a web server in front of it.",
      ),
    );
  }
  if (spec.registry !== undefined) {
    found.push(
      withoutEffect(
        spec,
        "registry",
        "registry",
        "`local` copies files and pushes nothing to a registry",
        "Remove it.",
      ),
    );
  }
  return found;
}

function checkHealth({ health, ports }: ServiceSpec): readonly Diagnostic[] {
  if (health === undefined || health.probe.kind === "command") return [];
  const { kind, port } = health.probe;
  const streams = ports.filter((each) => each.protocol !== "udp").map((each) => each.containerPort);
  if (port === undefined && streams.length === 0) {
    return [
      refused(
        `health.${kind}`,
        "health-port",
        `\`health.${kind}\` needs a port, and the service has none`,
        "Add `ports`, e.g. `ports: [{ containerPort: 3000 }]`, or check with `health.command`.",
      ),
    ];
  }
  if (port === undefined || streams.includes(port)) return [];
  return [
    refused(
      "health.port",
      "health-port",
      `${port} is no container port of this service`,
      streams.length === 0 ? "Add it to `ports`." : `Choose one of ${streams.join(", ")}.`,
    ),
  ];
}

function checkStop({ stop }: ServiceSpec): readonly Diagnostic[] {
  if (stop.signal === undefined || Object.hasOwn(constants.signals, stop.signal)) return [];
  return [
    refused(
      "stop.signal",
      "signal-unknown",
      `${stop.signal} is no signal of this system`,
      "For example SIGTERM, SIGINT or SIGQUIT.",
    ),
  ];
}
