import { errorIn } from "../engine/messages.ts";
import { imageIdIn, plainText, type BuildNews, type BuildProgress, type BuildReader } from "./progress.ts";

/** Reads the answer of the classic builder: the text of a terminal, in pieces. */
export function classicReader(): BuildReader {
  let step: string | undefined;
  let isCached = false;
  let rest = "";
  const endOfStep = (): readonly BuildProgress[] =>
    step === undefined ? [] : [{ kind: "step", step, state: isCached ? "cached" : "done" }];
  const readLine = (line: string): readonly BuildProgress[] => {
    const found = /^Step (\d+\/\d+) : (.*)$/.exec(line);
    if (found !== null) {
      const before = endOfStep();
      step = `[${found[1]}] ${found[2]}`;
      isCached = false;
      return [...before, { kind: "step", step, state: "started" }];
    }
    if (/^ ---> Using cache$/.test(line)) isCached = true;
    // Ids of images and containers in between, and what the builder says of itself at the end.
    const isOwn = /^ ---> |^Removing intermediate container |^Successfully (built|tagged) /.test(line);
    if (isOwn || line.trim() === "" || step === undefined) return [];
    return [{ kind: "output", step, text: line }];
  };
  return (message): BuildNews => {
    const { stream, aux } = message;
    const error = errorIn(message);
    if (error !== undefined) {
      return { progress: [], failure: { reason: error.trim(), ...(step === undefined ? {} : { step }) } };
    }
    if (aux !== undefined) return { progress: endOfStep(), ...imageIdIn(aux) };
    const lines = (rest + (stream ?? "")).split("\n");
    rest = lines.pop() ?? "";
    return { progress: lines.flatMap((line) => readLine(plainText(line))) };
  };
}
