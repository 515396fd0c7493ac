import type { Invocation } from "../arguments/invocation.ts";
import { exit } from "../exit-code.ts";
import { unwatchedProviders } from "../unwatched.ts";
import { renderResources, renderStatus } from "../output/status.ts";
import { withSession } from "../session.ts";

export function run(invocation: Invocation): Promise<number> {
  return withSession(invocation, { load: "operate", isChange: false }, async ({ plane, stack, output, next }) => {
    const services = invocation.positionals.length === 0 ? undefined : invocation.positionals;
    const status = await plane.stacks.status(stack, services);
    const resources = invocation.flag("resources") ? await plane.stacks.resources(stack, services) : undefined;
    if (output.json) output.document(resources === undefined ? status : { ...status, resources });
    else {
      const options = {
        paint: output.paint,
        next,
        nowMs: Date.now(),
        replicas: invocation.flag("replicas"),
        unwatched: await unwatchedProviders(stack, status),
      };
      output.lines(renderStatus(status, options));
      if (resources !== undefined) output.lines(["", ...renderResources(resources)]);
    }
    return status.services.some((each) => each.unreachable !== undefined) ? exit.attention : exit.done;
  });
}
