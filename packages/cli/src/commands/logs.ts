import type { StackLogOptions } from "@ctrlplane/core";
import type { Invocation } from "../arguments/invocation.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { parseSince } from "../arguments/values.ts";
import { exit } from "../exit-code.ts";
import { LogPrefix } from "../output/log-prefix.ts";
import { withSession, type Session } from "../session.ts";

export function run(invocation: Invocation): Promise<number> {
  const options = logOptions(invocation, Date.now());
  return withSession(invocation, { load: "operate", isChange: false }, async (session) => {
    const { plane, stack, output, signal, next } = session;
    const prefix = prefixFor(session);
    let isEmpty = true;
    for await (const line of plane.stacks.logs(stack, { ...options, signal })) {
      if (output.json) output.jsonLine(line);
      else output.lines([prefix === undefined ? line.text : prefix.render(line)]);
      isEmpty = false;
    }
    if (isEmpty && !output.json && !output.quiet) {
      const other = next("logs --change N");
      output.errors([`Nothing was printed. ${other} shows what a change started, failed replicas too.`]);
    }
    return exit.done;
  });
}

function logOptions(invocation: Invocation, nowMs: number): StackLogOptions {
  const sinceText = invocation.text("since");
  const since = sinceText === undefined ? undefined : parseSince(sinceText, nowMs);
  if (sinceText !== undefined && since === undefined) {
    throw new UsageError(
      `--since wants an age or a moment, got '${sinceText}'`,
      "For example: --since 5m, or --since 2026-11-22T03:00",
    );
  }
  const tail = invocation.integer("tail");
  const change = invocation.integer("change", 1);
  const replica = invocation.text("replica");
  return {
    ...(invocation.positionals.length === 0 ? {} : { services: invocation.positionals }),
    follow: invocation.flag("follow"),
    previous: invocation.flag("previous"),
    ...(since === undefined ? {} : { since }),
    ...(tail === undefined ? {} : { tail }),
    ...(change === undefined ? {} : { change }),
    ...(replica === undefined ? {} : { replica }),
  };
}

/** Lines of one replica stand alone, as it printed them; lines of several say whose they are. */
function prefixFor({ invocation, stack, output }: Session): LogPrefix | undefined {
  const services =
    invocation.positionals.length === 0 ? Object.keys(stack.services) : [...new Set(invocation.positionals)];
  const several = services.filter((service) => (stack.services[service]?.providers.length ?? 1) > 1);
  if (invocation.text("replica") !== undefined && several.length === 0) return undefined;
  const names = services.flatMap((service): string[] => {
    const replicas = stack.services[service]?.spec.scale.replicas ?? 1;
    const most = typeof replicas === "number" ? replicas : replicas.max;
    const longest = most <= 1 ? service : `${service}-${most}`;
    const { providers = [] } = stack.services[service] ?? {};
    return providers.length <= 1 ? [longest] : providers.map((provider) => `${longest}@${provider}`);
  });
  const isAlone = services.length === 1 && names[0] === services[0];
  return isAlone ? undefined : new LogPrefix(stack.name, names, output.paint, new Set(several));
}
