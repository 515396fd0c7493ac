import { join } from "node:path";
import {
  createControlPlane,
  createRedactor,
  createSealer,
  fileStateStore,
  hasErrors,
  loadStack,
  type ControlPlane,
  type ControlPlaneOptions,
  type Stack,
} from "@ctrlplane/core";
import type { Provider } from "@ctrlplane/core/provider";

export interface OpenPlane {
  readonly plane: ControlPlane;
  /** Reads `pctl.yaml` of the folder as it is now. */
  readonly load: () => Promise<Stack>;
  /** Deploys what `pctl.yaml` says now; throws where that fails. */
  readonly deploy: () => Promise<void>;
}

/** A control plane in this process over one provider, whatever its name in `pctl.yaml`; its state file lies in `folder`. */
export function openPlane(
  folder: string,
  provider: Provider,
  options: Pick<ControlPlaneOptions, "parallel" | "audit"> = {},
): OpenPlane {
  const redactor = createRedactor();
  const plane = createControlPlane({
    resolveProvider: () => Promise.resolve(provider),
    store: fileStateStore(folder),
    sealer: createSealer(Buffer.alloc(32, 7)),
    redactor,
    cacheDir: join(folder, ".pctl"),
    actor: { user: "ada", host: "bench", pid: process.pid },
    ...options,
  });
  const load = async (): Promise<Stack> => {
    const providerTypes = [{ type: provider.type }];
    const read = { cwd: folder, env: {}, redactor, purpose: "deploy", providerTypes } as const;
    const { stack, diagnostics } = await loadStack("pctl.yaml", read);
    if (stack !== undefined && !hasErrors(diagnostics)) return stack;
    throw new Error(JSON.stringify(diagnostics.slice(0, 3), undefined, 2));
  };
  const deploy = async (): Promise<void> => {
    const { done } = await plane.stacks.deploy(await load());
    const { result } = await done;
    if (result?.exitCode !== 0)
      throw new Error(`a deploy ended with ${result?.exitCode}: ${JSON.stringify(result?.diagnostics)}`);
  };
  return { plane, load, deploy };
}
