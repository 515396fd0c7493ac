import type { Invocation } from "../arguments/invocation.ts";
import type { Start } from "../acting.ts";
import { followThroughPauses } from "../pauses.ts";
import { withSession } from "../session.ts";
import { changeOptions } from "./change-options.ts";

export function run(invocation: Invocation): Promise<number> {
  return withSession(invocation, { load: "operate", isChange: true }, (session) => {
    const promote =
      (services: readonly string[]): Start =>
      (events) =>
        session.plane.stacks.promote(session.stack, services, {
          ...changeOptions(session),
          ...events,
          full: invocation.flag("full"),
        });
    return followThroughPauses(session, "promote", promote(invocation.positionals), (paused) =>
      promote(paused.map((each) => each.service)),
    );
  });
}
