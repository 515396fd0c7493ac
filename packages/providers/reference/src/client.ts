import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { CtrlPlaneError, isCtrlPlaneError } from "@ctrlplane/core/provider";
import type { ProviderContext } from "@ctrlplane/core/provider";
import type { Answer, CallBody } from "./protocol.ts";

/** Calls to one platform over its socket. */
export interface Client {
  call(name: string, args: unknown, context: ProviderContext): Promise<unknown>;
  close(): void;
}

const attempts = 3;

/** Stands around every call of a client: a test counts them there, or lets one fail. */
export type AroundCall = (
  name: string,
  args: unknown,
  perform: (args: unknown) => Promise<unknown>,
) => Promise<unknown>;

/** Every call may be made again, so what is retryable, a lost answer too, is tried three times before it is an error. */
export function createClient(socket: string, around: AroundCall = (_name, args, perform) => perform(args)): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return {
    call: (name, asked, context) =>
      around(name, asked, async (args) => {
        const { stack, epoch } = context.fence;
        const body: CallBody = { fence: { stack, epoch }, args };
        for (let attempt = 1; ; attempt += 1) {
          try {
            return valueOf(await post(agent, socket, `/v1/${name}`, body, context.signal));
          } catch (error) {
            if (!isCtrlPlaneError(error) || !error.retryable || attempt >= attempts) throw error;
            await context.clock.sleep(20 * attempt, context.signal);
          }
        }
      }),
    close: () => agent.destroy(),
  };
}

/** Throws `UNAVAILABLE` where there is no platform or the answer is lost, `CANCELLED` when the signal aborts. */
export async function post(
  agent: Agent,
  socket: string,
  path: string,
  body: CallBody,
  signal?: AbortSignal,
): Promise<Answer> {
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest({
        agent,
        socketPath: socket,
        path,
        method: "POST",
        ...(signal === undefined ? {} : { signal }),
      });
      request.on("response", resolve).on("error", reject).end(JSON.stringify(body));
    });
    // The platform's own words, by `protocol.ts`.
    return JSON.parse(await text(response)) as Answer;
  } catch (error) {
    if (signal?.aborted === true) throw new CtrlPlaneError("CANCELLED", "the call was cancelled", { cause: error });
    throw new CtrlPlaneError("UNAVAILABLE", "the reference platform does not answer", {
      retryable: true,
      hint: "start it with startReferencePlatform",
      cause: error,
    });
  }
}

export function valueOf(answer: Answer): unknown {
  // The fault that was ordered: this process dies here, as if by kill -9.
  if ("kill" in answer) {
    process.kill(process.pid, "SIGKILL");
    throw new Error("not reached");
  }
  if ("error" in answer) {
    const { code, message, ...rest } = answer.error;
    throw new CtrlPlaneError(code, message, rest);
  }
  return "value" in answer ? answer.value : undefined;
}
