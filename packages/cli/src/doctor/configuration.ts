import { describeDiagnostic, isCtrlPlaneError, type Diagnostic, type ProviderStatus } from "@ctrlplane/core";
import type { Invocation } from "../arguments/invocation.ts";
import { withSession, type Session } from "../session.ts";
import type { Finding } from "./finding.ts";

/** The declaration, and each provider that it names; what cannot be loaded is a finding too. */
export async function checkConfiguration(invocation: Invocation): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    await withSession(invocation, { load: "deploy", isChange: false }, async (session) => {
      findings.push(...(await lookAt(session)));
      return 0;
    });
  } catch (error) {
    if (!isCtrlPlaneError(error)) throw error;
    const problems = error.diagnostics.map(findingOf);
    findings.push(
      ...(problems.length > 0
        ? problems
        : [{ subject: "config", state: "bad" as const, text: error.message, ...hintOf(error.hint) }]),
    );
  }
  return findings;
}

async function lookAt({ plane, stack, diagnostics }: Session): Promise<Finding[]> {
  const [found, providers, changes] = await Promise.all([
    plane.stacks.check(stack),
    plane.stacks.providers(stack),
    plane.stacks.history(stack, { limit: 1 }).catch((error: unknown) => {
      // A provider that cannot be reached is told by its own line.
      if (isCtrlPlaneError(error)) return [];
      throw error;
    }),
  ]);
  const problems = [...diagnostics, ...found].map(findingOf);
  const fine: Finding = { subject: "config", state: "good", text: `${stack.file}, stack ${stack.name}` };
  return [
    ...(problems.length === 0 ? [fine] : problems),
    ...providers.flatMap(providerFindings),
    ...clockFindings(changes[0]?.startedAt),
  ];
}

function findingOf(each: Diagnostic): Finding {
  const state = each.severity === "error" ? "bad" : "warn";
  return { subject: "config", state, text: describeDiagnostic(each), ...hintOf(each.hint) };
}

function providerFindings(each: ProviderStatus): Finding[] {
  const subject = each.name;
  if (each.problem !== undefined) {
    return [
      { subject, state: "bad", text: `${each.problem.code}: ${each.problem.message}`, ...hintOf(each.problem.hint) },
    ];
  }
  const history = each.history === "platform" ? "" : "; history: this machine only";
  const good: Finding = { subject, state: "good", text: `${each.health?.description ?? each.type}${history}` };
  const notes = (each.health?.diagnostics ?? []).map((note): Finding => ({ ...findingOf(note), subject }));
  return [good, ...notes];
}

/** A change from the future: this clock, or the one of whoever made it, is wrong. */
function clockFindings(lastChange: string | undefined): Finding[] {
  if (lastChange === undefined || Date.parse(lastChange) <= Date.now() + 60_000) return [];
  return [
    {
      subject: "clock",
      state: "bad",
      text: `the last change was made at ${lastChange}, which is yet to come`,
      hint: "Set the clock of this machine right, or of the one that made it.",
    },
  ];
}

function hintOf(hint: string | undefined): { hint?: string } {
  return hint === undefined ? {} : { hint };
}
