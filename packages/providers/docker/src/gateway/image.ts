import { text } from "node:stream/consumers";
import { CtrlPlaneError, type ProviderContext } from "@ctrlplane/core/provider";
import { mapEngineError } from "@ctrlplane/images";
import type { GatewayPlace } from "./gateway-table.ts";

/** The host has the gateway's image, or `FAILED` `IMAGE_PULL`. */
export async function pullImage({ engine, image, instance }: GatewayPlace, context: ProviderContext): Promise<void> {
  const { signal } = context;
  const target = `${instance.name}-gateway`;
  context.progress({ type: "build.progress", message: `pulling ${image} for the gateway of ${instance.name}` });
  context.fence.check();
  // A name without tag would bring all of them.
  const isTagged = image.includes("@") || /:[^/]+$/.test(image);
  const query = { fromImage: isTagged ? image : `${image}:latest` };
  let problem: string | undefined;
  try {
    const answer = await engine.stream({ method: "POST", path: "/images/create", query, signal });
    problem = problemIn(await text(answer));
  } catch (error) {
    const mapped = mapEngineError(error, target);
    if (mapped.code === "CANCELLED") throw mapped;
    problem = mapped.message;
  }
  if (problem === undefined) return;
  throw new CtrlPlaneError("FAILED", `the gateway's image ${image} could not be pulled: ${problem}`, {
    target,
    failure: { verdict: "IMAGE_PULL", replica: target },
    hint: "Bring it to the host with `docker load`, or name one that the host can get with `gatewayImage`.",
  });
}

/** One line of JSON for each step; a failure is one of them. */
function problemIn(answer: string): string | undefined {
  for (const line of answer.split("\n")) {
    if (line.trim() === "") continue;
    const step: unknown = JSON.parse(line);
    if (typeof step === "object" && step !== null && "error" in step) return String(step.error);
  }
  return undefined;
}
