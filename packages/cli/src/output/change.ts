import type { Change, Event } from "@ctrlplane/core";
import { planOf } from "./event-data.ts";
import { renderFailure } from "./failure-block.ts";
import type { NextStep } from "./next-step.ts";
import { renderOutcome } from "./outcome.ts";
import type { Paint } from "./paint.ts";
import { actionNames, nameWidth, renderPlan } from "./plan.ts";
import { Progress } from "./progress.ts";
import { renderDiagnostics, type ReadSource } from "./diagnostics.ts";

export interface ChangeView {
  readonly paint: Paint;
  readonly next: NextStep;
  /** Position of a service in the file. */
  readonly locate: (service: string) => string | undefined;
  readonly readSource: ReadSource;
  readonly services: readonly string[];
  readonly command: string;
  /** --volumes was given. */
  readonly takesData?: boolean;
}

/** A change as text, piece by piece while it goes on: plan, progress, failures, last line. */
export class ChangeReport {
  readonly #view: ChangeView;
  #progress: Progress;
  /** Something was written; until then there is no number. */
  #hasBegun = false;
  /** What was printed last; a blank line stands between different things. */
  #section: "none" | "plan" | "progress" = "none";

  constructor(view: ChangeView) {
    this.#view = view;
    this.#progress = new Progress(view.paint, nameWidth(view.services), view.locate);
  }

  render(event: Event): string[] {
    if (event.type === "change.started") this.#hasBegun = true;
    const plan = event.type === "plan.ready" ? planOf(event) : undefined;
    if (plan !== undefined) {
      const names = [...actionNames(plan.actions)];
      const several = names.filter(([{ instance }, name]) => name !== instance.service);
      this.#progress = new Progress(
        this.#view.paint,
        nameWidth(names.map(([, name]) => name)),
        this.#view.locate,
        new Set(several.map(([{ instance }]) => instance.service)),
      );
      return this.#in("plan", renderPlan(plan, this.#view.paint));
    }
    return this.#in("progress", this.#progress.render(event));
  }

  heartbeat(nowMs: number, afterMs: number): string[] {
    return this.#in("progress", this.#progress.heartbeat(nowMs, afterMs));
  }

  /** Blocks of what failed, problems, and the last lines; nothing of a change without a result. `timedOut`: --timeout ended it. */
  end(change: Change, timedOut = false): string[] {
    const { paint, next, command, readSource, takesData = false } = this.#view;
    if (change.result === undefined) return [];
    const blocks = this.#progress.failures
      .filter(
        (failure) =>
          change.result?.services.some(
            (each) =>
              each.service === failure.service &&
              (failure.provider ?? each.provider) === each.provider &&
              each.outcome !== "succeeded",
          ) ?? true,
      )
      .map((failure) => [...renderFailure(failure, paint, next), ""]);
    const problems = renderDiagnostics(change.result.diagnostics, paint, readSource);
    const lines = [
      ...blocks.flat(),
      ...problems,
      ...renderOutcome(
        { command, ...(this.#hasBegun ? { number: change.number } : {}), timedOut, takesData },
        change.result,
        paint,
        next,
      ),
    ];
    return this.#section === "none" ? lines : ["", ...lines];
  }

  #in(section: "plan" | "progress", lines: string[]): string[] {
    if (lines.length === 0) return lines;
    const isNew = this.#section !== section && this.#section !== "none";
    this.#section = section;
    return isNew ? ["", ...lines] : lines;
  }
}
