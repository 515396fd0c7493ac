import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { CtrlPlaneError, isCtrlPlaneError, messageOf } from "@ctrlplane/core/provider";
import type { Answer, CallBody, Fault, WireError } from "../protocol.ts";
import { calls, isCall, isWrite, type CallName } from "./calls.ts";
import { controlsOf } from "./control.ts";
import { Faults } from "./faults.ts";
import type { Platform } from "./platform.ts";

/** The platform behind HTTP: `POST /v1/CALL` for the provider, `POST /control/NAME` for a test. `changed` follows each write. */
export function createPlatformServer(platform: Platform, changed: () => void): Server {
  const faults = new Faults();
  const counts = new Map<string, number>();
  const controls: Record<string, (args: never) => unknown> = controlsOf(platform, faults, counts);
  const tellChange = (): void => {
    platform.news.emit("change");
    changed();
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, kind, name = ""] = (request.url ?? "").split("/");
    // Our own client wrote it, in the shape that the call takes.
    const body = JSON.parse(await text(request)) as CallBody;
    const control = kind === "control" ? controls[name] : undefined;
    if (control !== undefined) {
      // The harness is typed by `Controls`, of which this is the other end.
      const value = control(body.args as never);
      tellChange();
      return answer(response, { value });
    }
    if (kind !== "v1" || !isCall(name))
      return answer(response, { error: { code: "INVALID", message: `no call is named ${name}` } });
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    await carryOut(platform, { name, body, fault: faults.strike(name), signal: gone.signal, tellChange }, response);
  };

  return createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // Whoever asked has gone: nobody is left to tell.
      if (!response.destroyed) answer(response, { error: wireError(error) });
    });
  });
}

interface Call {
  readonly name: CallName;
  readonly body: CallBody;
  readonly fault: Fault | undefined;
  readonly signal: AbortSignal;
  readonly tellChange: () => void;
}

async function carryOut(platform: Platform, call: Call, response: ServerResponse): Promise<void> {
  const { fault } = call;
  if (fault?.kind === "hang") return;
  if (fault?.kind === "kill-before") return answer(response, { kill: true });
  if (fault?.kind === "error") {
    const { code, message = `${call.name} failed by order`, retryable = false } = fault;
    return answer(response, { error: { code, message, retryable } });
  }
  if (fault?.kind === "delay") await sleep(fault.ms, undefined, { signal: call.signal });
  if (fault?.kind === "double") await perform(platform, call);
  const result = await perform(platform, call);
  if (fault?.kind === "lost-reply") response.destroy();
  else if (fault?.kind === "kill-after") answer(response, { kill: true });
  else answer(response, result);
}

async function perform(platform: Platform, { name, body, signal, tellChange }: Call): Promise<Answer> {
  try {
    if (isWrite(name)) admit(platform, body);
    // The client sends to each call what that call takes.
    const carry = calls[name] as (platform: Platform, args: unknown, signal: AbortSignal) => unknown;
    const value = await carry(platform, body.args, signal);
    if (isWrite(name)) {
      const { stack, epoch } = body.fence ?? noFence;
      platform.state.writes.push({ call: name, stack, epoch, target: targetOf(body.args) });
      tellChange();
    }
    return { value };
  } catch (error) {
    return { error: wireError(error) };
  }
}

const noFence = { stack: "", epoch: 0 };

/** Refuses whoever holds an older lease than one that was seen before. */
function admit({ state }: Platform, { fence }: CallBody): void {
  const { stack, epoch } = fence ?? noFence;
  const highest = state.epochs[stack] ?? 0;
  if (epoch !== 0 && epoch < highest) {
    throw new CtrlPlaneError("CONFLICT", `lease ${epoch} of ${stack} is over: ${highest} was seen`, {
      target: "lease",
    });
  }
  state.epochs[stack] = Math.max(highest, epoch);
}

function targetOf(args: unknown): string {
  if (args === null || typeof args !== "object") return "";
  if ("name" in args && typeof args.name === "string") return args.name;
  if ("id" in args && typeof args.id === "string") return args.id;
  const instance = "instance" in args ? args.instance : undefined;
  return instance !== null && typeof instance === "object" && "name" in instance ? String(instance.name) : "";
}

function answer(response: ServerResponse, value: Answer): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function wireError(error: unknown): WireError {
  if (!isCtrlPlaneError(error)) return { code: "INTERNAL", message: messageOf(error) };
  const { code, message, retryable, hint, target, failure } = error;
  return {
    code,
    message,
    retryable,
    ...(hint === undefined ? {} : { hint }),
    ...(target === undefined ? {} : { target }),
    ...(failure === undefined ? {} : { failure }),
  };
}
