/** A place in a source file. Lines and columns count from 1, as editors do. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

export interface SourceRange {
  readonly start: SourcePosition;
  readonly end: SourcePosition;
}

/** A problem as a value. Configuration, resolving, validation and planning return all of them, not the first. */
export interface Diagnostic {
  /** `error` stops before anything is touched; `warning` and `info` are shown and do not stop. */
  readonly severity: "error" | "warning" | "info";
  /** Stable, in kebab-case, e.g. `unknown-key`. */
  readonly code: string;
  /** One line: what is wrong, without the position. */
  readonly summary: string;
  /** Further lines, where one does not do. */
  readonly detail?: string;
  /** File, relative to the working directory where it lies below it, e.g. `pctl.yaml`. */
  readonly path?: string;
  readonly range?: SourceRange;
  /** Dotted path of the field in the declaration, e.g. `services.web.ports[0]`. Core turns it into path and range where it knows the source. */
  readonly field?: string;
  /** What to do, one sentence. */
  readonly hint?: string;
  /** Of an error of `check`: a host port that something else has, e.g. `8080`. It is dropped where the change itself takes that port from who has it. */
  readonly takenPort?: number;
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((each) => each.severity === "error");
}

/** `pctl.yaml:12:7: summary`, or the summary alone where no position is known. */
export function describeDiagnostic(each: Diagnostic): string {
  const place = placeOf(each);
  return place === undefined ? each.summary : `${place}: ${each.summary}`;
}

/** `pctl.yaml:4:5`; undefined of one that stands in no file. */
export function placeOf({ path, range }: Pick<Diagnostic, "path" | "range">): string | undefined {
  if (path === undefined || range === undefined) return path;
  return `${path}:${range.start.line}:${range.start.column}`;
}
