import { follow } from "../acting.ts";
import type { Invocation } from "../arguments/invocation.ts";
import { withSession } from "../session.ts";
import { changeOptions } from "./change-options.ts";

export function run(invocation: Invocation): Promise<number> {
  return withSession(invocation, { load: "operate", isChange: true }, (session) =>
    follow(session, "abort", (events) =>
      session.plane.stacks.abort(session.stack, invocation.positionals, { ...changeOptions(session), ...events }),
    ),
  );
}
