import type { ReplicaCount } from "@ctrlplane/core";
import { follow } from "../acting.ts";
import type { Invocation } from "../arguments/invocation.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { parseReplicas } from "../arguments/values.ts";
import { withSession } from "../session.ts";
import { changeOptions } from "./change-options.ts";

export async function run(invocation: Invocation): Promise<number> {
  const wanted = parseWanted(invocation.positionals);
  // What the file says, and how to keep what is set here, is a note of the plan.
  return withSession(invocation, { load: "operate", isChange: true }, (session) =>
    follow(session, "scale", (events) =>
      session.plane.stacks.scale(session.stack, wanted, { ...changeOptions(session), ...events }),
    ),
  );
}

/** `web 5`, or `web=5 api=2`. */
export function parseWanted(words: readonly string[]): Record<string, ReplicaCount> {
  const [service, replicas] = words;
  const pairs =
    words.length === 2 &&
    service !== undefined &&
    !service.includes("=") &&
    replicas !== undefined &&
    !replicas.includes("=")
      ? [[service, replicas] as const]
      : words.map((word) => splitPair(word));
  return Object.fromEntries(
    pairs.map(([name, text]) => {
      const value = parseReplicas(text);
      if (value === undefined)
        throw new UsageError(`'${text}' is no number of replicas`, "A whole number, or a range such as 2..10.");
      return [name, value];
    }),
  );
}

function splitPair(word: string): readonly [string, string] {
  const at = word.lastIndexOf("=");
  if (at > 0) return [word.slice(0, at), word.slice(at + 1)];
  throw new UsageError(
    `how many replicas of ${word}?`,
    `For example: pctl scale ${word} 5, or pctl scale ${word}=5 api=2`,
  );
}
