import type { TestEvent } from "node:test/reporters";
import { inspect, styleText } from "node:util";

/** Counts of a whole run; a cancelled test counts as failed, a skipped one as neither passed nor failed. */
export interface TestCounts {
  passed: number;
  failed: number;
  skipped: { name: string; reason: string }[];
  /** Times are of the test's file as a whole. */
  files: { file: string; passed: number; failed: number; elapsedMs: number; measured: string[] }[];
  elapsedMs: number;
}

/** Gathers what `node:test` reports, prints a line for each file as it ends, and all failures together at the end. */
export class TestReport {
  readonly counts: TestCounts = { passed: 0, failed: 0, skipped: [], files: [], elapsedMs: 0 };
  readonly #nameOf: (file: string) => string;
  readonly #failures: { name: string; detail: string }[] = [];
  readonly #output = new Map<string, string>();
  readonly #measured = new Map<string, string[]>();
  readonly #startedAt = performance.now();

  constructor(nameOf: (file: string) => string) {
    this.#nameOf = nameOf;
  }

  get isEmpty(): boolean {
    return this.counts.passed + this.counts.failed + this.counts.skipped.length === 0;
  }

  add(event: TestEvent): void {
    if (event.type === "test:stdout" || event.type === "test:stderr") {
      const { file, message } = event.data;
      this.#output.set(file, (this.#output.get(file) ?? "") + message);
    }
    if (event.type === "test:diagnostic") this.#addDiagnostic(event.data);
    if (event.type === "test:summary" && event.data.file !== undefined) this.#addFile(event.data);
    if (event.type !== "test:pass" && event.type !== "test:fail") return;
    const { name, file = "", skip, details } = event.data;
    if (details.type === "suite") return;
    const title = `${this.#nameOf(file)}: ${name}`;
    if (skip !== undefined && skip !== false) {
      this.counts.skipped.push({ name: title, reason: typeof skip === "string" ? skip : "without a reason" });
    } else if (event.type === "test:pass") {
      this.counts.passed += 1;
    } else {
      const { error } = event.data.details;
      const output = this.#output.get(file) ?? "";
      this.fail(title, `${inspect(error.cause ?? error)}${output === "" ? "" : `\noutput of its file:\n${output}`}`);
    }
  }

  fail(name: string, detail: string): void {
    this.counts.failed += 1;
    this.#failures.push({ name, detail });
  }

  print(): void {
    this.counts.elapsedMs = Math.round(performance.now() - this.#startedAt);
    const { passed, failed, skipped, elapsedMs } = this.counts;
    for (const { name, detail } of this.#failures) {
      process.stdout.write(`\n${styleText("red", `✗ ${name}`)}\n${detail.replace(/^/gm, "    ")}\n`);
    }
    for (const { name, reason } of skipped) process.stdout.write(`- skipped (${reason}): ${name}\n`);
    const words = [
      `${passed} passed`,
      `${failed} failed`,
      ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
    ];
    process.stdout.write(`\n${words.join(", ")} in ${(elapsedMs / 1000).toFixed(1)} s\n`);
  }

  /** What a test says of itself, e.g. a count or a seed; Node's own counts of a file come the same way. */
  #addDiagnostic({ file = "", message }: Extract<TestEvent, { type: "test:diagnostic" }>["data"]): void {
    if (/^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/.test(message)) return;
    this.#measured.set(file, [...(this.#measured.get(file) ?? []), message]);
  }

  #addFile(summary: Extract<TestEvent, { type: "test:summary" }>["data"]): void {
    const { counts, duration_ms: durationMs, file = "" } = summary;
    const failed = counts.tests - counts.passed - counts.skipped - counts.todo;
    // Node names the file in which a test is written: one that tests share has no summary of its own.
    const measured = [...this.#measured].flatMap(([of, messages]) =>
      of === file || !of.endsWith(".test.ts") ? messages : [],
    );
    for (const of of this.#measured.keys()) if (!of.endsWith(".test.ts")) this.#measured.delete(of);
    const line = {
      file: this.#nameOf(file),
      passed: counts.passed,
      failed,
      elapsedMs: Math.round(durationMs),
      measured,
    };
    this.counts.files.push(line);
    const sign = summary.success ? styleText("green", "✓") : styleText("red", "✗");
    const words = failed > 0 ? `${line.passed} passed, ${failed} failed` : `${line.passed} passed`;
    process.stdout.write(`${sign} ${line.file}  ${words}, ${(durationMs / 1000).toFixed(1)} s\n`);
    for (const message of measured) process.stdout.write(`    ${message}\n`);
  }
}
