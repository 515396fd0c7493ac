import { CtrlPlaneError, isCtrlPlaneError } from "@ctrlplane/core/provider";
import type { Capability, Diagnostic, Provider, ServiceAddress } from "@ctrlplane/core/provider";
import type { Liar } from "./liar.ts";

const refusal: Diagnostic = { severity: "error", code: "no", field: "service", summary: "this cannot be" };

/** Lies of what is pure: capabilities, checks, addresses; and of limits. */
export const liarsOfChecks: readonly Liar[] = [
  {
    name: "a capability is told twice",
    lie: (honest) => ({ capabilities: () => [...honest.capabilities(), "deploy"] }),
    caughtBy: ["identity.capabilities-are-known"],
  },
  {
    name: "tls is declared and refused",
    lie: (honest) => ({ capabilities: () => [...honest.capabilities(), "tls"] }),
    caughtBy: ["check.tls-is-declared-or-refused"],
  },
  {
    name: "exec is not declared and tried",
    lie: withoutCapabilities("exec"),
    caughtBy: ["capabilities.exec-is-there-or-unsupported"],
  },
  {
    name: "logs are not declared and tried",
    lie: withoutCapabilities("logs"),
    caughtBy: ["capabilities.logs-is-there-or-unsupported"],
  },
  {
    name: "scale is not declared and tried",
    lie: withoutCapabilities("scale"),
    caughtBy: ["capabilities.scale-is-there-or-unsupported"],
  },
  {
    name: "deploy is not declared and tried",
    lie: withoutCapabilities("deploy"),
    caughtBy: ["capabilities.deploy-is-there-or-unsupported", "capabilities.stop-is-there-or-unsupported"],
  },
  {
    name: "provision is not declared and tried",
    lie: withoutCapabilities("provision"),
    caughtBy: ["capabilities.provision-is-there-or-unsupported"],
  },
  {
    name: "volumes are not declared and accepted",
    lie: withoutCapabilities("volumes"),
    caughtBy: ["check.volumes-are-declared-or-refused"],
  },
  {
    name: "strategies are not declared and tried",
    lie: withoutCapabilities("rolling", "blue_green", "canary"),
    caughtBy: [
      "capabilities.advance-is-there-or-unsupported",
      "check.rolling-is-declared-or-refused",
      "check.blue-green-is-declared-or-refused",
      "check.canary-is-declared-or-refused",
    ],
  },
  {
    name: "check lets everything pass",
    lie: () => ({ check: () => [] }),
    caughtBy: [
      "check.tls-is-declared-or-refused",
      "check.domains-are-declared-or-refused",
      "check.gpus-are-declared-or-refused",
    ],
  },
  {
    name: "check refuses everything",
    lie: (honest) => ({ check: (...about) => [...honest.check(...about), refusal] }),
    caughtBy: [
      "check.accepts-a-plain-service",
      "limits.memory-is-limited-or-refused",
      "limits.cpu-is-limited-or-refused",
    ],
  },
  {
    name: "check names no field",
    lie: (honest) => ({ check: (...about) => honest.check(...about).map(({ field: _, ...each }) => each) }),
    caughtBy: [
      "check.an-error-names-its-field",
      "check.tls-is-declared-or-refused",
      "check.domains-are-declared-or-refused",
      "check.gpus-are-declared-or-refused",
    ],
  },
  {
    name: "check lets nobody accept",
    lie: (honest) => ({ check: (spec, ...about) => honest.check({ ...spec, accept: [] }, ...about) }),
    caughtBy: ["check.what-is-accepted-is-no-error"],
  },
  {
    name: "check fills in the spec",
    lie: (honest) => ({
      check: (spec, ...about) => honest.check(Object.assign(spec, { protect: true }), ...about),
    }),
    caughtBy: ["check.is-pure"],
  },
  {
    name: "address has one port alone",
    lie: onAddress((address) => ({ ...address, ports: address.ports.slice(0, 1) })),
    caughtBy: ["address.has-each-port-in-order"],
  },
  {
    name: "address is another each time",
    lie: (honest) => {
      let count = 0;
      return onAddress((address) => ({
        ...address,
        published: address.published.map((each) => `${each}#${(count += 1)}`),
      }))(honest);
    },
    caughtBy: ["address.is-pure", "address.is-known-before", "address.stays-over-releases"],
  },
  {
    name: "services are wired to nowhere",
    lie: onAddress((address) => ({
      ...address,
      ports: address.ports.map((each) => ({ ...each, url: `http://nowhere:${each.port}` })),
    })),
    caughtBy: [
      "address.others-reach-it-there",
      "address.an-unpublished-port-is-reached-by-others",
      "address.two-services-have-two",
    ],
  },
  {
    name: "every port is published",
    lie: onAddress((address) => ({ ...address, published: address.ports.map((each) => each.url) })),
    caughtBy: ["address.is-known-before", "address.an-unpublished-port-is-reached-by-others"],
  },
  {
    name: "a platform that is away is healthy",
    lie: (honest) => ({
      health: (context) =>
        honest
          .health(context)
          .catch(() => ({ platformId: "away", version: "", description: "", diagnostics: [], facts: {} })),
    }),
    caughtBy: ["errors.health-says-that-it-is-not-there"],
  },
  {
    name: "on a platform that is away nothing is found",
    lie: (honest) => ({
      status: (request, context) =>
        honest.status(request, context).catch((error: unknown) => {
          if (!isCtrlPlaneError(error) || error.code !== "UNAVAILABLE") throw error;
          throw new CtrlPlaneError("NOT_FOUND", `${request.instance.name} is not there`);
        }),
    }),
    caughtBy: ["errors.status-says-that-it-is-not-there"],
  },
  {
    name: "a platform that is away is a conflict",
    lie: (honest) => ({
      deploy: (request, context) =>
        honest.deploy(request, context).catch((error: unknown) => {
          if (!isCtrlPlaneError(error) || error.code !== "UNAVAILABLE") throw error;
          throw new CtrlPlaneError("CONFLICT", "somebody else is at it", { cause: error });
        }),
    }),
    caughtBy: ["timeouts.an-unreachable-platform-is-told-soon"],
  },
];

function withoutCapabilities(...names: readonly Capability[]) {
  return (honest: Provider): Partial<Provider> => ({
    capabilities: () => honest.capabilities().filter((each) => !names.includes(each)),
  });
}

function onAddress(change: (address: ServiceAddress) => ServiceAddress) {
  return (honest: Provider): Partial<Provider> => ({
    address: (...about) => change(honest.address(...about)),
  });
}
