import type { Backend } from "./routes.ts";
import { InstanceTraffic } from "./traffic.ts";
import type { Upstream } from "./upstream.ts";

interface Candidate {
  readonly upstream: Upstream;
  readonly weight: number;
  credit: number;
}

/**
 * Chooses replicas by smooth weighted round robin: over as many choices as the weights' sum, each is chosen exactly as often
 * as its weight, and as evenly spread as can be.
 */
export class Balancer {
  readonly instance: string;
  /** Of the instance: all its balancers count in one place. */
  readonly traffic: InstanceTraffic;
  readonly #candidates: Candidate[];

  constructor(
    backend: Backend,
    upstreamOf: (target: Backend["targets"][number]) => Upstream,
    traffic = new InstanceTraffic(),
  ) {
    this.instance = backend.instance;
    this.traffic = traffic;
    this.#candidates = backend.targets
      .filter((target) => target.weight > 0)
      .map((target) => ({ upstream: upstreamOf(target), weight: target.weight, credit: 0 }));
  }

  /** How many replicas can be chosen. */
  get size(): number {
    return this.#candidates.length;
  }

  /** Undefined where none is routed, or all of them were tried. */
  choose(tried: readonly Upstream[]): Upstream | undefined {
    let best: Candidate | undefined;
    let sum = 0;
    for (const candidate of this.#candidates) {
      if (tried.length > 0 && tried.includes(candidate.upstream)) continue;
      candidate.credit += candidate.weight;
      sum += candidate.weight;
      if (best === undefined || candidate.credit > best.credit) best = candidate;
    }
    if (best === undefined) return undefined;
    best.credit -= sum;
    return best.upstream;
  }
}
