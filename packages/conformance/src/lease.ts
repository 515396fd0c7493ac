import { CtrlPlaneError, type Fence } from "@ctrlplane/core/provider";

/** The right to write, which a test can take away. */
export interface Lease {
  readonly fence: Fence;
  lose(): void;
}

export function leaseOf(stack: string, epoch: number): Lease {
  let isLost = false;
  return {
    fence: {
      stack,
      epoch,
      check() {
        const error = new CtrlPlaneError("CONFLICT", `the lease of ${stack} is lost`, { target: stack });
        return isLost ? Promise.reject(error) : Promise.resolve();
      },
    },
    lose: () => void (isLost = true),
  };
}
