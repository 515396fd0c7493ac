import { errorIn } from "../engine/messages.ts";
import { readFields, textOf, type Field } from "../buildkit/protobuf.ts";
import {
  imageIdIn,
  plainText,
  type BuildFailure,
  type BuildNews,
  type BuildProgress,
  type BuildReader,
} from "./progress.ts";

interface Step {
  readonly name: string;
  /** What it has not ended with a newline yet. */
  rest: string;
  state?: "started" | "cached" | "done";
}

/** Reads BuildKit's answer: states of steps and what they write, as Protocol Buffers in base64. */
export function buildKitReader(): BuildReader {
  const steps = new Map<string, Step>();
  let failed: BuildFailure | undefined;
  const readStep = (fields: readonly Field[]): readonly BuildProgress[] => {
    const name = textOf(fields, 3);
    const step = steps.get(textOf(fields, 1)) ?? { name, rest: "" };
    steps.set(textOf(fields, 1), step);
    const error = textOf(fields, 7);
    // Steps that wait for the one that failed are cancelled with it.
    if (error !== "" && !/context canceled/.test(error)) failed ??= { step: name, reason: error };
    const state = error === "" ? stateOf(fields) : undefined;
    if (state === undefined || state === step.state || isInternal(name)) return [];
    step.state = state;
    return [...endLine(step), { kind: "step", step: name, state }];
  };
  const readLog = (fields: readonly Field[]): readonly BuildProgress[] => {
    const step = steps.get(textOf(fields, 1));
    if (step === undefined) return [];
    const lines = (step.rest + textOf(fields, 4)).split("\n");
    step.rest = lines.pop() ?? "";
    return lines.map((text) => ({ kind: "output", step: step.name, text: plainText(text) }));
  };
  return (message): BuildNews => {
    const { id, aux } = message;
    const error = errorIn(message);
    if (error !== undefined) {
      const progress = [...steps.values()].flatMap(endLine);
      return { progress, failure: failed ?? { reason: withoutFrontend(error) } };
    }
    if (id === "moby.image.id") return { progress: [], ...imageIdIn(aux) };
    if (id !== "moby.buildkit.trace" || typeof aux !== "string") return { progress: [] };
    const progress = readFields(Buffer.from(aux, "base64")).flatMap(({ number, bytes }) => {
      if (number === 1) return readStep(readFields(bytes));
      return number === 3 ? readLog(readFields(bytes)) : [];
    });
    return { progress };
  };
}

/** Fields: 4 cached, 5 started, 6 completed. */
function stateOf(fields: readonly Field[]): Step["state"] {
  const has = (number: number) => fields.some((each) => each.number === number);
  if (!has(6)) return has(5) ? "started" : undefined;
  return fields.some((each) => each.number === 4 && each.integer === 1) ? "cached" : "done";
}

/** What the builder does for itself. */
function isInternal(name: string): boolean {
  return name.startsWith("[internal]") || /^(copy \/context|exporting )/.test(name);
}

function endLine(step: Step): readonly BuildProgress[] {
  if (step.rest === "") return [];
  const text = plainText(step.rest);
  step.rest = "";
  return [{ kind: "output", step: step.name, text }];
}

/** Without the words that say which part of the builder speaks. */
function withoutFrontend(error: string): string {
  return error
    .replace(/^failed to solve(?: with frontend [\w.]+)?: /, "")
    .replace(/^failed to create LLB definition: /, "");
}
