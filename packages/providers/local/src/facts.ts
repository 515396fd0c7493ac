import type { PlatformHealth } from "@ctrlplane/core/provider";
import type { ListeningSocket } from "./process/listening-sockets.ts";
import type { PublishedPort } from "./published-port.ts";

/** What `check` knows of this machine: `PlatformHealth.facts` of `local`. Plain data. */
export interface LocalFacts {
  /** The data folder, absolute. */
  readonly dir: string;
  /** As `process.platform`. */
  readonly os: string;
  /** Which limits control groups allow this user to set, and, where one is missing, why. */
  readonly limits: { readonly cpu: boolean; readonly memory: boolean; readonly reason?: string };
  /** The lowest port that this user may listen on. */
  readonly lowestPort: number;
  /** Addresses of this machine, those in 127.0.0.0/8 apart. */
  readonly addresses: readonly string[];
  /** Sockets that others than our gateway listen on; also those of a gateway that is just being started. */
  readonly listening: readonly ListeningSocket[];
  /** What our gateway listens on, for every stack of the data folder. */
  readonly published: readonly PublishedPort[];
}

/** Facts of a machine of which nothing is known: nothing is refused for its sake. */
const unknownFacts: LocalFacts = {
  dir: "",
  os: "linux",
  limits: { cpu: true, memory: true },
  lowestPort: 0,
  addresses: [],
  listening: [],
  published: [],
};

export function factsOf(platform: Pick<PlatformHealth, "facts">): LocalFacts {
  // Written by this provider's own `health`, or by a test; what is left out is unknown.
  return { ...unknownFacts, ...(platform.facts as Partial<LocalFacts>) };
}
