import type { Deviations } from "@ctrlplane/conformance";

const reason =
  "A service with `recreate` and one replica publishes its ports itself, and a container keeps what it publishes.";

/** What is so on Docker, and why. */
export const dockerDeviations: Deviations = {
  "deploy.a-change-of-ports-replaces-nothing": { reason, instead: "the one replica is replaced." },
  "scale.more-replicas-run-when-returned": {
    reason,
    instead: "the first replica is replaced by one behind a gateway, which takes the ports over.",
  },
};
