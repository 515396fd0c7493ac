import type { ReplicaCount } from "@ctrlplane/core";
import { follow } from "../acting.ts";
import type { Invocation } from "../arguments/invocation.ts";
import { UsageError } from "../arguments/usage-error.ts";
import { parseReplicas } from "../arguments/values.ts";
import { exit } from "../exit-code.ts";
import { withSession, type Session } from "../session.ts";
import { changeOptions } from "./change-options.ts";

export async function run(invocation: Invocation): Promise<number> {
  const wanted = parseWanted(invocation.positionals);
  return withSession(invocation, { load: "operate", isChange: true }, async (session) => {
    const code = await follow(session, "scale", (events) =>
      session.plane.stacks.scale(session.stack, wanted, { ...changeOptions(session), ...events }),
    );
    if (code === exit.done && !session.output.json && !session.output.quiet) session.output.lines(howToKeep(session, wanted));
    return code;
  });
}

/** `web 5`, or `web=5 api=2`. */
export function parseWanted(words: readonly string[]): Record<string, ReplicaCount> {
  const [service, replicas] = words;
  const pairs =
    words.length === 2 && service !== undefined && !service.includes("=") && replicas !== undefined && !replicas.includes("=")
      ? [[service, replicas] as const]
      : words.map((word) => splitPair(word));
  return Object.fromEntries(
    pairs.map(([name, text]) => {
      const value = parseReplicas(text);
      if (value === undefined) throw new UsageError(`'${text}' is no number of replicas`, "A whole number, or a range such as 2..10.");
      return [name, value];
    }),
  );
}

function splitPair(word: string): readonly [string, string] {
  const at = word.lastIndexOf("=");
  if (at > 0) return [word.slice(0, at), word.slice(at + 1)];
  throw new UsageError(`how many replicas of ${word}?`, `For example: pctl scale ${word} 5, or pctl scale ${word}=5 api=2`);
}

/** What the file says, and how to keep what was set by hand. */
function howToKeep({ stack }: Session, wanted: Readonly<Record<string, ReplicaCount>>): string[] {
  return Object.entries(wanted).flatMap(([service, replicas]) => {
    const declared = stack.services[service]?.spec.scale.replicas;
    if (declared === undefined || declarationOf(declared) === declarationOf(replicas)) return [];
    const place = stack.locate(`services.${service}.scale.replica`) ?? stack.locate(`services.${service}`);
    const at = place?.range === undefined ? "" : `:${place.range.start.line}:${place.range.start.column}`;
    return [
      `${place?.path ?? stack.file}${at} says ${declarationOf(declared)} for ${service}: the next deploy returns to it.`,
      `To keep it: services.${service}.scale.replica: ${declarationOf(replicas)}`,
    ];
  });
}

function declarationOf(replicas: ReplicaCount): string {
  return typeof replicas === "number" ? String(replicas) : `[${replicas.min}, ${replicas.max}]`;
}
