import type { ProviderContext } from "@ctrlplane/core/provider";
import type { DeliveryProgress } from "@ctrlplane/images";

/** Least time between two events about one transfer: they are shown, sent and kept. */
const intervalMs = 1000;

/** Tells how an image comes: each step and line of a build, and what travels once a second. */
export function imageProgress(context: ProviderContext): (progress: DeliveryProgress) => void {
  const told = new Map<string, number>();
  const tell = (message: string): void => context.progress({ type: "build.progress", message });
  return (progress) => {
    if (progress.kind === "output") return tell(progress.text);
    if (progress.kind === "step") {
      if (progress.state === "started") tell(progress.step);
      return;
    }
    if (progress.kind === "carried") return tell(describeArrival(progress));
    const now = context.clock.monotonic();
    const last = told.get(progress.kind);
    if (last !== undefined && now - last < intervalMs) return;
    told.set(progress.kind, now);
    tell(describeTransfer(progress));
  };
}

type Arrival = Extract<DeliveryProgress, { readonly kind: "carried" }>;
type Transfer = Exclude<DeliveryProgress, { readonly kind: "step" | "output" | "carried" }>;

function describeArrival({ from, bytes, sharedLayers }: Arrival): string {
  const rest = sharedLayers === 0 ? "" : `; ${sharedLayers} of its layers were there`;
  return `came from ${from}: ${megabytes(bytes)} MB${rest}`;
}

/** e.g. `pulling postgres:17: 12.3 of 45.0 MB, 3 of 8 layers`. */
function describeTransfer(progress: Transfer): string {
  const { bytes, totalBytes } = progress;
  const size = totalBytes === 0 ? "" : `: ${megabytes(bytes)} of ${megabytes(totalBytes)} MB`;
  if (progress.kind === "carry") return `comes from ${progress.from}${size}`;
  const { kind, name, done, layers } = progress;
  return `${kind === "pull" ? "pulling" : "pushing"} ${name}${size}${size === "" ? ": " : ", "}${done} of ${layers} layers`;
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
