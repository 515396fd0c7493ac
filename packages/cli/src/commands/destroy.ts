import type { ServiceStatus } from "@ctrlplane/core";
import { follow } from "../acting.ts";
import type { Invocation } from "../arguments/invocation.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { confirm, confirmByName } from "../ask.ts";
import { exit } from "../exit-code.ts";
import { count } from "../output/table.ts";
import { withSession, type Session } from "../session.ts";
import { changeOptions } from "./change-options.ts";

export async function run(invocation: Invocation): Promise<number> {
  return withSession(invocation, { load: "operate", isChange: true }, async (session) => {
    const remove = [...invocation.list("remove")];
    if (!invocation.flag("yes")) {
      if (!session.output.isTerminal) {
        throw new UsageError(
          "pctl destroy asks before it removes anything, and there is no terminal to ask on",
          "With --yes it does not ask.",
        );
      }
      const named = await askFor(session, remove);
      if (named === undefined) {
        session.output.lines(["Nothing was removed."]);
        return exit.error;
      }
      remove.push(...named);
    }
    return follow(session, "destroy", (events) =>
      session.plane.stacks.destroy(session.stack, {
        ...changeOptions(session),
        ...events,
        ...(invocation.positionals.length === 0 ? {} : { services: invocation.positionals }),
        remove,
        volumes: invocation.flag("volumes"),
      }),
    );
  });
}

/** Names of services with data that are to go as well; undefined where the answer was no. */
async function askFor(session: Session, remove: readonly string[]): Promise<string[] | undefined> {
  const { invocation, plane, stack, output } = session;
  const { services } = await plane.stacks.status(
    stack,
    invocation.positionals.length === 0 ? undefined : invocation.positionals,
  );
  const takesData = invocation.flag("volumes");
  const there = services.filter(
    ({ status, unreachable, remains }) =>
      status !== undefined || unreachable !== undefined || (takesData && remains !== undefined),
  );
  if (there.length === 0) return [];
  const environment = stack.environment === undefined ? "" : ` (${stack.environment})`;
  output.lines([
    `${stack.name}${environment}: destroy removes ${count(there.length, "service")}`,
    ...there.map((each) => describe(each, invocation)),
  ]);
  if (!(await confirm("Remove?"))) return undefined;
  const named: string[] = [];
  for (const { service, status, remains = [] } of there) {
    const asks = (status?.volumes ?? remains).length > 0 || stack.services[service]?.spec.protect === true;
    // Named on the command line is named.
    if (!asks || remove.includes(service) || invocation.positionals.includes(service)) continue;
    if (await confirmByName(`${service} has volumes or is protected.`, service)) named.push(service);
  }
  return named;
}

function describe({ service, provider, status, unreachable, remains }: ServiceStatus, invocation: Invocation): string {
  if (remains !== undefined)
    return `  - ${service} on ${provider}, removed before; its data goes now: ${remains.join(", ")}`;
  if (status === undefined) return `  - ${service} on ${provider}: ${unreachable ?? "not there"}`;
  const fate = invocation.flag("volumes") ? "with its data" : "volumes stay";
  const volumes = status.volumes.length === 0 ? "" : `, ${fate}: ${status.volumes.join(", ")}`;
  return `  - ${service} on ${provider}${volumes}`;
}
