import {
  placeOf,
  type ActionKind,
  type Cause,
  type Diagnostic,
  type FieldChange,
  type Plan,
  type PlanAction,
} from "@ctrlplane/core";
import { groupedBy, helpOf } from "./grouped.ts";
import type { Paint, Tone } from "./paint.ts";
import { count, cut, shortList } from "./table.ts";

const signs: Readonly<Record<ActionKind, readonly [string, Tone]>> = {
  create: ["+", "good"],
  update: ["~", "change"],
  configure: ["~", "change"],
  keep: ["=", "dim"],
  resume: [">", "change"],
  revert: ["<", "warn"],
  remove: ["-", "bad"],
  hold: ["!", "warn"],
  pause: ["!", "warn"],
  unreachable: ["?", "warn"],
};

const kindsByWords: readonly (readonly [string, readonly ActionKind[]])[] = [
  ["to create", ["create"]],
  ["to update", ["update"]],
  ["to configure", ["configure"]],
  ["to resume", ["resume"]],
  ["to revert", ["revert"]],
  ["to remove", ["remove"]],
  ["held", ["hold"]],
  ["paused", ["pause"]],
  ["unreachable", ["unreachable"]],
];

/** More unchanged services than these are counted, not listed: what changes must not scroll away. */
const mostKept = 6;

/** Longer values of a field are cut; `plan --json` has all of them. */
const widestValue = 80;

/** `shop (production) on vps1: Docker 26.1, ssh deploy@203.0.113.10`; one line a platform where there are several. */
export function renderHeading(
  plan: Pick<Plan, "stack" | "environment" | "platforms" | "continues">,
  paint: Paint,
): string[] {
  const name = paint("strong", plan.environment === undefined ? plan.stack : `${plan.stack} (${plan.environment})`);
  const continues =
    plan.continues === undefined
      ? ""
      : paint("dim", `, after change #${plan.continues.change} by ${plan.continues.by}`);
  const places = plan.platforms.map((each) => {
    const where = `on ${each.provider}: ${each.description}`;
    return each.reachable ? where : paint("bad", where);
  });
  if (places.length <= 1) return [`${[name, ...places].join(" ")}${continues}`];
  return [`${name}${continues}`, ...places.map((place) => `  ${place}`)];
}

/** The whole plan: where, what, how many, warnings. */
export function renderPlan(plan: Plan, paint: Paint): string[] {
  const names = actionNames(plan.actions);
  const width = nameWidth([...names.values()]);
  const kept = plan.actions.filter((action) => action.kind === "keep");
  const listed = kept.length > mostKept ? plan.actions.filter((action) => action.kind !== "keep") : plan.actions;
  const lines = [...renderHeading(plan, paint), ...(plan.actions.length === 0 ? [] : [""])];
  for (const action of listed) lines.push(...renderAction(action, names.get(action) ?? "", width, paint));
  if (listed.length < plan.actions.length)
    lines.push(paint("dim", `  = ${count(kept.length, "service")} unchanged, skipping`));
  const totals = renderTotals(plan);
  if (totals !== "") lines.push(`  ${totals}`);
  lines.push(...helpOf(plan.actions.map(({ problem }) => problem ?? {})));
  const notes = new Set(listed.flatMap((action) => action.notes));
  // A note of its service says it already.
  const diagnostics = plan.diagnostics.filter((each) => each.severity !== "info" || !notes.has(each.summary));
  lines.push(...renderNotices(diagnostics, paint));
  return lines;
}

/** Service, with its provider where a service stands on several. */
export function actionNames(actions: readonly PlanAction[]): Map<PlanAction, string> {
  const seen = new Map<string, number>();
  for (const { instance } of actions) seen.set(instance.service, (seen.get(instance.service) ?? 0) + 1);
  return new Map(
    actions.map((action) => {
      const { service, provider } = action.instance;
      return [action, (seen.get(service) ?? 0) > 1 ? `${service}@${provider}` : service];
    }),
  );
}

/** Width of the column of names, its gap included; `build` stands in it too. */
export function nameWidth(names: readonly string[]): number {
  return Math.min(40, Math.max(5, ...names.map((name) => name.length))) + 2;
}

function renderAction(action: PlanAction, name: string, width: number, paint: Paint): string[] {
  const [sign, tone] = signs[action.kind];
  // Why stands in the heading, once for all services there.
  const summary = action.problem !== undefined ? `${action.instance.provider} cannot be reached` : action.summary;
  const line = `  ${sign} ${name.padEnd(width)}${summary}`;
  if (action.kind === "keep")
    return [paint("dim", line), ...action.notes.map((note) => renderNote(note, width, paint))];
  const fields = action.kind === "create" ? [] : action.changes;
  const widest = Math.max(0, ...fields.map((each) => each.path.length));
  return [
    `  ${paint(tone, sign)} ${paint("strong", name.padEnd(width))}${summary}`,
    ...fields.map((each) => `    ${" ".repeat(width)}${renderField(each, widest, paint)}`),
    ...action.notes.map((note) => renderNote(note, width, paint)),
  ];
}

function renderField(change: FieldChange, width: number, paint: Paint): string {
  const path = change.path.padEnd(width);
  const why =
    change.cause === "configuration" || change.cause === "new" ? "" : paint("dim", `  (${causeWords[change.cause]})`);
  const before = cut(change.before ?? "", widestValue);
  const after = cut(change.after ?? "", widestValue);
  if (change.before === undefined) return `${path}  ${paint("good", `+ ${after}`)}${why}`;
  if (change.after === undefined) return `${path}  ${paint("bad", `- ${before}`)}${why}`;
  return `${path}  ${before} → ${after}${why}`;
}

const causeWords: Readonly<Record<Cause, string>> = {
  new: "new",
  configuration: "configuration",
  source: "files changed",
  drift: "drift: changed on the platform",
  missing: "missing: gone from the platform",
  foreign: "foreign: not ours",
  override: "override: set by hand",
  recovery: "unfinished change",
  removed: "left the file",
  moved: "moved",
  adopted: "pctl 1.1 made it",
};

function renderNote(note: string, width: number, paint: Paint): string {
  return `    ${" ".repeat(width)}${paint("dim", note)}`;
}

function renderTotals(plan: Plan): string {
  const parts = kindsByWords.flatMap(([words, kinds]) => {
    const number = plan.actions.filter((action) => kinds.includes(action.kind)).length;
    return number === 0 ? [] : [`${number} ${words}`];
  });
  const doing = plan.actions.filter(({ kind }) => !["keep", "remove", "hold", "unreachable"].includes(kind));
  const publishes = [...new Set(doing.flatMap((action) => action.publishes))];
  if (publishes.length > 0) parts.push(`publishes ${shortList(publishes)}`);
  return parts.join(" · ");
}

/** What is said of several places in the same words, once. */
function renderNotices(diagnostics: readonly Diagnostic[], paint: Paint): string[] {
  return groupedBy(diagnostics, ({ severity, summary, hint }) => JSON.stringify([severity, summary, hint])).flatMap(
    (group) => {
      const [{ severity, summary, hint }] = group;
      const tone: Tone = severity === "error" ? "bad" : severity === "warning" ? "warn" : "dim";
      const places = [...new Set(group.flatMap((each) => placeOf(each) ?? []))];
      const text = places.length === 0 ? summary : `${shortList(places)}: ${summary}`;
      const line = `  ${paint(tone, severity)}: ${text}`;
      return hint === undefined ? [line] : [line, `    ${hint}`];
    },
  );
}
