/** Writes commands that can be typed as they stand: with the options that chose this stack. */
export type NextStep = (command: string, rest?: string) => string;

/** `options` are those of the present command line that the next one needs as well, e.g. `--env production`. */
export function nextStep(options: readonly string[]): NextStep {
  return (command, rest) => ["pctl", command, ...options, ...(rest === undefined ? [] : ["--", rest])].join(" ");
}
