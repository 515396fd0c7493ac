import type { Duplex } from "node:stream";
import { CtrlPlaneError, type ProviderContext } from "@ctrlplane/core/provider";
import { isEngineError, mapEngineError, segment, type EngineClient } from "@ctrlplane/images";
import { framesOf } from "../streams.ts";
import { masterPort, workerPort } from "./configuration.ts";

/** A conversation with the HAProxy of one container, over one `exec`. */
export interface Control {
  /** What the worker that serves answers to these commands, all at once; empty where none answers. */
  worker(commands: readonly string[]): Promise<string>;
  /** What the master answers. `@!8 …` is for the worker with process id 8. */
  master(commands: readonly string[]): Promise<string>;
  close(): void;
}

// Constants, no value is ever part of them. Each line of the input is a port and what is said to it; then the answer and a mark.
const launcher = `exec "$(command -v bash || command -v sh)" -c "$1"`;
const conversation = `
while read -r port line && [ -n "$port" ]; do
  if [ -n "$BASH_VERSION" ]; then
    { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null && { printf '%s\\n' "$line" >&3; cat <&3; exec 3>&-; }
  else
    printf '%s\\n' "$line" | nc 127.0.0.1 "$port" 2>/dev/null
  fi
  printf '\\036'
done`;
const mark = "\u001e";

/** A line that HAProxy takes whole: its buffer has 16 KiB. */
const longestLine = 12_000;

/** The container runs, and has a shell with bash or nc, as HAProxy's official images do: `UNSUPPORTED` where not. */
export async function openControl(
  engine: EngineClient,
  container: { readonly id: string; readonly name: string },
  context: ProviderContext,
): Promise<Control> {
  const connection = await execute(engine, container, context);
  const answers = answersOf(connection);
  const cancel = (): void => void connection.destroy();
  context.signal.addEventListener("abort", cancel, { once: true });
  connection.once("close", () => context.signal.removeEventListener("abort", cancel));
  const answer = async (): Promise<string> => {
    try {
      const { value, done } = await answers.next();
      if (done !== true) return value;
    } catch (error) {
      throw broken(container.name, context, error);
    }
    throw broken(container.name, context);
  };
  const ask = async (port: number, commands: readonly string[]): Promise<string> => {
    const said: string[] = [];
    for (const line of linesOf(commands)) {
      connection.write(`${port} ${line};quit\n`);
      said.push(await answer());
    }
    return said.join("\n");
  };
  return {
    worker: (commands) => ask(workerPort, commands),
    master: (commands) => ask(masterPort, commands),
    close: () => void connection.destroy(),
  };
}

/** Runs `work` with a conversation that ends with it. */
export async function withControl<T>(
  engine: EngineClient,
  container: { readonly id: string; readonly name: string },
  context: ProviderContext,
  work: (control: Control) => Promise<T>,
): Promise<T> {
  const control = await openControl(engine, container, context);
  try {
    return await work(control);
  } finally {
    control.close();
  }
}

async function execute(
  engine: EngineClient,
  { id, name }: { readonly id: string; readonly name: string },
  { signal }: ProviderContext,
): Promise<Duplex> {
  try {
    const { Id } = await engine.json<{ readonly Id: string }>({
      method: "POST",
      path: `/containers/${segment(id)}/exec`,
      body: {
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Cmd: ["sh", "-c", launcher, "pctl", conversation],
      },
      signal,
    });
    return await engine.upgrade({
      method: "POST",
      path: `/exec/${Id}/start`,
      body: { Detach: false, Tty: false },
      signal,
    });
  } catch (error) {
    if (isEngineError(error) && /executable file not found/i.test(error.message)) throw withoutShell(name, error);
    throw mapEngineError(error, name);
  }
}

function withoutShell(name: string, cause: unknown): CtrlPlaneError {
  return new CtrlPlaneError(
    "UNSUPPORTED",
    `the image of ${name} has no shell by which its gateway could be told what to do`,
    {
      target: name,
      cause,
      hint: "Set `gatewayImage` to haproxy:lts, or to another image with sh and bash or nc.",
    },
  );
}

function broken(name: string, { signal }: ProviderContext, cause?: unknown): CtrlPlaneError {
  if (signal.aborted) return new CtrlPlaneError("CANCELLED", "cancelled", { target: name, cause: signal.reason });
  return new CtrlPlaneError("UNAVAILABLE", `the conversation with ${name} broke off`, {
    target: name,
    retryable: true,
    cause,
    hint: "It may just have ended; the next command that changes something starts it again.",
  });
}

/** As few lines as hold all commands. */
function linesOf(commands: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const each of commands) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + each.length < longestLine) lines[lines.length - 1] = `${last};${each}`;
    else lines.push(each);
  }
  return lines;
}

/** Standard output up to each mark. */
async function* answersOf(connection: Duplex): AsyncGenerator<string, undefined> {
  let text = "";
  for await (const { stream, data } of framesOf(connection)) {
    if (stream === "stdout") text += data.toString("latin1");
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark)) {
      yield text.slice(0, at);
      text = text.slice(at + 1);
    }
  }
  return undefined;
}
