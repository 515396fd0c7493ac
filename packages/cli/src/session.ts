import { homedir, hostname, userInfo } from "node:os";
import { join } from "node:path";
import {
  createControlPlane,
  createRedactor,
  CtrlPlaneError,
  fileLedger,
  fileStateStore,
  hasErrors,
  lazySealer,
  loadStack,
  type ControlPlane,
  type Diagnostic,
  type LoadOptions,
  type Logger,
  type Redactor,
  type Stack,
} from "@ctrlplane/core";
import type { Invocation } from "./arguments/invocation.ts";
import { renderDiagnostics } from "./output/diagnostics.ts";
import { nextStep, type NextStep } from "./output/next-step.ts";
import { openOutput, surviveClosedPipe, type Output } from "./output/output.ts";
import { sourceReader } from "./output/source.ts";
import { builtInTypes, resolveProvider } from "./providers.ts";
import { isTimeout, listenForInterruption, orAborted } from "./signals.ts";

/** What a command works with. */
export interface Session {
  readonly invocation: Invocation;
  readonly stack: Stack;
  readonly plane: ControlPlane;
  readonly output: Output;
  readonly next: NextStep;
  /** Aborts at the first SIGINT or SIGTERM, and after `--timeout`. */
  readonly signal: AbortSignal;
  /** Warnings that came up while loading. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface SessionKind {
  /** `deploy`: services' environments are resolved, secrets needed. `operate`: neither is. */
  readonly load: "deploy" | "operate";
  /** A change goes on to its next safe point when it is interrupted; everything else ends at once. */
  readonly isChange: boolean;
  /** The command that runs in a replica gets them: `exec`, `run`. */
  readonly ownsSignals?: boolean;
}

/** Loads the stack, makes its control plane, runs `body` with both, and closes what was opened, whatever happens. */
export async function withSession(
  invocation: Invocation,
  kind: SessionKind,
  body: (session: Session) => Promise<number>,
): Promise<number> {
  const output = openOutput(invocation);
  surviveClosedPipe(!kind.isChange);
  const interruption = listenForInterruption((name) => {
    if (!kind.isChange) return;
    const again = isTimeout(interruption.signal.reason) ? "Ctrl-C stops" : "once more to stop";
    output.errors([`${name}: finishing the step in hand; ${again} at once (safe: the next command goes on)`]);
  }, invocation.durationMs("timeout"));
  try {
    const opened = openStack(invocation, kind, output, interruption.signal);
    const session = await orAborted(opened, interruption.signal);
    if (kind.ownsSignals === true) interruption.handOver();
    try {
      return kind.isChange ? await body(session) : await orAborted(body(session), interruption.signal);
    } finally {
      await session.plane.close();
    }
  } finally {
    interruption.dispose();
  }
}

async function openStack(
  invocation: Invocation,
  kind: SessionKind,
  output: Output,
  signal: AbortSignal,
): Promise<Session> {
  const redactor = createRedactor();
  const { stack, diagnostics } = await load(invocation, kind, redactor);
  if (!output.json) {
    const shown = output.quiet ? diagnostics.filter((each) => each.severity === "error") : diagnostics;
    output.errors(renderDiagnostics(shown, output.errorPaint, sourceReader()));
  }
  const plane = createControlPlane({
    resolveProvider: (declaration, folder) => resolveProvider(declaration, folder, (field) => stack.locate(field)),
    store: fileStateStore(process.cwd()),
    sealer: lazySealer({ env: process.env, home: homedir() }),
    redactor,
    cacheDir: join(process.cwd(), ".pctl"),
    actor: { user: userName(), host: hostname(), pid: process.pid },
    audit: output.debug
      ? (call) => process.stderr.write(`${new Date().toISOString()} call ${call}\n`)
      : () => undefined,
    fallbackLedger: (platformId) => fileLedger(join(dataFolder(), "ledgers", platformId), "machine"),
    log: output.debug ? stderrLogger(redactor) : silentLogger,
  });
  return { invocation, stack, plane, output, next: nextStep(selectionOf(invocation)), signal, diagnostics };
}

async function load(
  invocation: Invocation,
  kind: SessionKind,
  redactor: Redactor,
): Promise<{ stack: Stack; diagnostics: readonly Diagnostic[] }> {
  const { stack, diagnostics } = await loadStack(
    invocation.text("config") ?? "pctl.yaml",
    loadOptions(invocation, kind.load, redactor),
  );
  if (stack === undefined || hasErrors(diagnostics)) {
    throw new CtrlPlaneError("INVALID", "the declaration has errors", { diagnostics });
  }
  return { stack, diagnostics };
}

/** How the command line wants the file read. */
export function loadOptions(invocation: Invocation, purpose: LoadOptions["purpose"], redactor: Redactor): LoadOptions {
  const name = invocation.text("name");
  const environment = invocation.text("env") ?? (process.env["PCTL_ENV"] === "" ? undefined : process.env["PCTL_ENV"]);
  return {
    cwd: process.cwd(),
    env: process.env,
    envFiles: invocation.list("env-file"),
    redactor,
    purpose,
    providerTypes: builtInTypes,
    ...(name === undefined ? {} : { name }),
    ...(environment === undefined ? {} : { environment }),
  };
}

/** Where this machine keeps what no platform does. */
function dataFolder(): string {
  const data = process.env["XDG_DATA_HOME"];
  return join(data === undefined || data === "" ? join(homedir(), ".local", "share") : data, "pctl");
}

/** The words that chose this stack, so that a next step can be typed as it is printed. */
function selectionOf(invocation: Invocation): string[] {
  const one = (long: string): string[] => {
    const value = invocation.text(long);
    return value === undefined ? [] : [`--${long}`, quoted(value)];
  };
  return [
    ...one("config"),
    ...one("name"),
    ...one("env"),
    ...invocation.list("env-file").flatMap((file) => ["--env-file", quoted(file)]),
  ];
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function userName(): string {
  const named = process.env["USER"];
  return named !== undefined && named !== "" ? named : userInfo().username;
}

const silentLogger: Logger = { debug: () => undefined, warn: () => undefined };

function stderrLogger(redactor: Redactor): Logger {
  const write = (level: string, message: string, data?: Readonly<Record<string, unknown>>): void => {
    const text = data === undefined ? message : `${message} ${JSON.stringify(data)}`;
    process.stderr.write(redactor.redact(`${new Date().toISOString()} ${level} ${text}\n`));
  };
  return {
    debug: (message, data) => write("debug", message, data),
    warn: (message, data) => write("warn", message, data),
  };
}
