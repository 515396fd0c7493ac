import type { Backend, Entrance, Target } from "../gateway/routes.ts";
import type { InstanceRecord, RouteListener } from "./records.ts";

/** Who answers for an instance at one of its container ports. */
export type TargetsOf = (instance: InstanceRecord, containerPort: number) => readonly Target[];

/** What the gateway listens on: one entrance for each address and port, shared by services whose domains differ. */
export function entrancesOf(instances: Iterable<InstanceRecord>, targetsOf: TargetsOf): readonly Entrance[] {
  const all = [...instances]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((instance) => (instance.route?.listeners ?? []).map((listener) => ({ instance, listener })));
  return [...Map.groupBy(all, ({ listener }) => entranceId(listener))].map(([id, sharing]) => {
    const backendOf = ({ instance, listener }: (typeof sharing)[number]): Backend => ({
      instance: instance.name,
      targets: targetsOf(instance, listener.containerPort),
    });
    const rest = sharing.find(({ listener }) => listener.domains === undefined);
    const domains = sharing.flatMap((each) =>
      (each.listener.domains ?? []).map((domain) => ({ ...domain, backend: backendOf(each) })),
    );
    // Every one of `sharing` has this address and port.
    const { address, port } = (sharing[0] as (typeof sharing)[number]).listener;
    const protocols = new Set(sharing.map(({ listener }) => listener.protocol));
    const [protocol = "auto"] = protocols;
    return {
      id,
      address,
      port,
      protocol: protocols.size === 1 ? protocol : "auto",
      ...(rest === undefined ? {} : { backend: backendOf(rest) }),
      ...(domains.length === 0 ? {} : { domains }),
    };
  });
}

function entranceId({ address, port, protocol }: RouteListener): string {
  return `${address}:${port}/${protocol === "udp" ? "udp" : "tcp"}`;
}
