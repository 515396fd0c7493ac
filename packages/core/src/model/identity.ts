/**
 * A service on a provider. Everything that says which one is meant, and nothing of what it should be.
 * `id` derives from lineage, stack, service and platformId (`instanceId`), so it can always be computed again.
 */
export interface InstanceIdentity {
  /** TypeID with prefix `inst`. */
  readonly id: string;
  /** `{stack}-{service}`: the name of everything that belongs to it on the platform. */
  readonly name: string;
  readonly stack: string;
  readonly service: string;
  /** TypeID with prefix `lin`, made once for a stack; tells two stacks of one name apart. */
  readonly lineage: string;
  /** The user's name of the provider, e.g. `vps1`. */
  readonly provider: string;
  readonly platformId: string;
  readonly tenant?: string;
}
