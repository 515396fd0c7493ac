import { join } from "node:path";
import { createReferenceProvider, servePlatform, type PlatformState } from "@ctrlplane/provider-reference";
import type { Subject, World } from "./subject.ts";

const names = ["ref", "other"] as const;

/** The reference platform, served by the test's own process: what dies is the engine's. */
export const subject: Subject = {
  url: import.meta.url,
  type: "reference",
  options: (socket) => ({ socket }),
  async start(folder, saved): Promise<World> {
    // Our own `save` made it.
    const states = (saved ?? {}) as Partial<Record<string, PlatformState>>;
    const platforms = await Promise.all(
      names.map((name) => servePlatform(join(folder, `${name}.sock`), { from: structuredClone(states[name]) })),
    );
    const all = platforms.map((each) => each.state);
    return {
      places: Object.fromEntries(platforms.map((each, index) => [names[index] ?? "", each.socket])),
      replicas: () =>
        Promise.resolve(
          all
            .flatMap((state) => Object.values(state.replicas))
            .map(({ name, behaviour, stopped }) => ({ name, image: behaviour, isRunning: !stopped }))
            .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        ),
      records: () => Promise.resolve(all.flatMap((state) => Object.keys(state.ledger))),
      everything: () =>
        Promise.resolve(
          JSON.stringify(
            all.map(({ instances, replicas, ledger, volumes }) => ({ instances, replicas, ledger, volumes })),
          ),
        ),
      save: () =>
        Promise.resolve(structuredClone(Object.fromEntries(all.map((state, index) => [names[index], state])))),
      stop: async () => {
        await Promise.all(platforms.map((each) => each.stop()));
      },
    };
  },
  connect: (place, tap) =>
    createReferenceProvider({ socket: place }, (name, args, perform) => {
      // The ledger has a port of its own. The five seconds in which a new replica is watched are none of this rig's questions.
      if (name.startsWith("ledger.")) return perform(args);
      const short = name === "outlive" ? { ...(args as object), ms: 0 } : args;
      return tap.pass(`driver.${name}`, () => perform(short));
    }),
};
