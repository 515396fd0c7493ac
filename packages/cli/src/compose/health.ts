import type { Draft } from "./draft.ts";
import type { Field } from "./field.ts";
import { wordsOf, writeScript, writeWords } from "./command.ts";
import { templateOf, valueNow } from "./variables.ts";

const times = { interval: "interval", timeout: "timeout", start_period: "grace" } as const;

export function translateHealth(field: Field, draft: Draft): void {
  const test = field.get("test");
  const words = test?.isList === true ? test.items() : [];
  if (field.get("disable")?.isTrue === true || words[0]?.value === "NONE")
    return draft.leave(
      field,
      "a health check of the image cannot be switched off",
      "Without `health` the service is ready once its port opens; the image's own check runs on.",
    );
  if (test === undefined)
    return draft.leave(
      field,
      "`healthcheck` without `test` changes the image's own check",
      "Write `health: { command: … }` with all of it.",
    );
  const command = commandOf(test, draft);
  const health: Record<string, unknown> = { command };
  for (const [name, key] of Object.entries(times)) {
    const duration = durationOf(field.get(name), draft);
    if (duration !== undefined) health[key] = duration;
  }
  // Compose waits 30 s for a check, pctl 2 s.
  health["timeout"] ??= 30;
  const retries = field.get("retries");
  const template = retries === undefined ? undefined : templateOf(retries);
  if (template !== undefined) health["retries"] = Number(valueNow(template, draft.around.variables));
  if (command !== undefined) draft.set("health", health);
}

function commandOf(test: Field, draft: Draft): unknown {
  if (!test.isList) {
    const script = templateOf(test);
    return script === undefined ? undefined : writeScript(script, draft);
  }
  const [first, ...words] = wordsOf(test) ?? [];
  const kind = first === undefined ? "" : valueNow(first, draft.around.variables);
  const [script] = words;
  if (kind === "CMD-SHELL" && script !== undefined) return writeScript(script, draft);
  if (kind === "CMD" && words.length > 0) return writeWords(words, draft);
  return test.problem(
    `${JSON.stringify(kind)} begins no health check`,
    'A list begins with "CMD" or "CMD-SHELL" and has a command behind it.',
  );
}

/** As `pctl.yaml` writes it; undefined, with a problem, for what is none. */
export function durationOf(field: Field | undefined, draft: Draft): string | number | undefined {
  const template = field === undefined ? undefined : templateOf(field);
  if (field === undefined || template === undefined) return undefined;
  const text = valueNow(template, draft.around.variables);
  const [, micro] = /^(\d+(?:\.\d+)?)us$/.exec(text) ?? [];
  if (micro !== undefined) return `${Math.ceil(Number(micro) / 1000)}ms`;
  const [, seconds] = /^(\d+(?:\.\d+)?)s$/.exec(text) ?? [];
  if (seconds !== undefined) return Number(seconds);
  if (/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return text;
  return field.problem(`${JSON.stringify(field.value)} is no duration`, "Write 30s, 1m30s or 500ms.");
}
