import { CtrlPlaneError } from "@ctrlplane/core/provider";

export interface EngineVersion {
  /** Of the engine, e.g. `26.1.5`. */
  readonly engine: string;
  /** Of the API that we speak with it, e.g. `1.45`. */
  readonly api: string;
  readonly os: string;
  readonly arch: string;
}

/** The oldest that we were tried with: engine 20.10. */
const oldest = "1.41";
/** The newest whose description we have read. */
const newest = "1.52";

/** From the answer to `GET /version`: the newest API that both sides know. */
export function chooseVersion(answer: unknown): EngineVersion {
  const { Version, ApiVersion, MinAPIVersion, Os, Arch } = answer as Record<string, string | undefined>;
  const max = ApiVersion ?? "0";
  if (compare(max, oldest) < 0) {
    throw new CtrlPlaneError("UNSUPPORTED", `this engine speaks API ${max}; at least ${oldest} is needed`, {
      hint: "Docker Engine 20.10 or newer is needed on the host.",
    });
  }
  if (MinAPIVersion !== undefined && compare(MinAPIVersion, newest) > 0) {
    throw new CtrlPlaneError(
      "UNSUPPORTED",
      `this engine speaks no API older than ${MinAPIVersion}; we speak ${newest}`,
      {
        hint: "A newer pctl is needed for it.",
      },
    );
  }
  const api = compare(max, newest) < 0 ? max : newest;
  return { engine: Version ?? "unknown", api, os: Os ?? "linux", arch: Arch ?? "unknown" };
}

/** Negative where `a` is the older one. Versions are `major.minor`. */
export function compare(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split(".").map(Number);
  const [majorB = 0, minorB = 0] = b.split(".").map(Number);
  return majorA - majorB || minorA - minorB;
}
