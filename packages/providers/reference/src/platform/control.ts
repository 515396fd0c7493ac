import type { Fault, InstanceRecord, PlatformState, ReplicaRecord } from "../protocol.ts";
import type { Faults } from "./faults.ts";
import { useVolume } from "./instances.ts";
import { dropReplica, keepReplica, type Platform } from "./platform.ts";

/** What a test does behind the provider's back: POST /control/NAME. */
export function controlsOf(platform: Platform, faults: Faults, counts: Map<string, number>) {
  const { state } = platform;
  return {
    dump: (): PlatformState => state,
    fault: (fault: Fault): void => faults.arm(fault),
    clearFaults: (): void => faults.clear(),
    counts: (): Record<string, number> => Object.fromEntries(counts),
    resetCounts: (): void => counts.clear(),
    /** Something is there that nobody deployed, or that another deployed. */
    plant: ({ instances = [], replicas = [] }: { instances?: InstanceRecord[]; replicas?: ReplicaRecord[] }): void => {
      for (const each of instances) state.instances[each.name] = each;
      for (const each of replicas) keepReplica(platform, each);
      for (const each of instances) for (const name of each.volumes) useVolume(platform, name, each.name);
    },
    /** A replica ends by itself, with 137; of two with one name the one that behaves so. */
    end: ({ name, behaviour }: { name: string; behaviour?: string }): void => {
      for (const each of Object.values(state.replicas))
        if (each.name === name && (behaviour ?? each.behaviour) === each.behaviour) each.brokenAt = Date.now();
    },
    /** Somebody removed it by hand: a replica, or an instance and all of it. */
    erase: ({ name }: { name: string }): void => {
      Reflect.deleteProperty(state.instances, name);
      for (const each of Object.values(state.replicas)) {
        if (each.name === name || each.instance === name) dropReplica(platform, each);
      }
    },
    /** From now on the reference means what `behaviour` names. */
    tag: ({ reference, behaviour }: { reference: string; behaviour: string }): void => {
      state.tags[reference] = behaviour;
    },
    log: ({ name, text }: { name: string; text: string }): void => {
      for (const each of Object.values(state.replicas)) if (each.name === name) each.log.push({ at: Date.now(), text });
    },
  };
}

export type Controls = ReturnType<typeof controlsOf>;
