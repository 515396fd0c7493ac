import { describeEndpoint, type SshEndpoint } from "../endpoint.ts";
import { silentEngine } from "../errors.ts";
import type { Channel } from "./channel.ts";

const question = "HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n";
const answer = /HTTP\/1\.\d \d{3}[^]*\r\n\r\n$/;
/** Kept of what comes before the engine's first words. */
const keptCharacters = 64 * 1024;
/** A slow host starts `sudo` and `docker` first. */
const answerMs = 20_000;

/**
 * Asks the engine a first question, which changes nothing: whether it answers at all is known before a request is sent. True at its answer, of which
 * nothing is left to read; what a login shell prints first is passed over. False where the channel ends before. Throws UNAVAILABLE where nothing is
 * said in time, and the signal's reason; then the channel is ended.
 */
export async function engineAnswers(endpoint: SshEndpoint, channel: Channel, signal: AbortSignal): Promise<boolean> {
  const { input, output } = channel;
  const late = AbortSignal.timeout(answerMs);
  const over = AbortSignal.any([signal, late]);
  let heard = "";
  const answered = Promise.withResolvers<boolean>();
  const read = (chunk: Buffer): void => {
    heard = (heard + chunk.toString("latin1")).slice(-keptCharacters);
    if (!answer.test(heard)) return;
    output.pause();
    answered.resolve(true);
  };
  const giveUp = (): void => {
    answered.reject(signal.aborted ? (signal.reason as Error) : silentEngine(describeEndpoint(endpoint), answerMs));
    void channel.end();
  };
  over.addEventListener("abort", giveUp);
  // Whoever ends early breaks the pipe; why is known when it has ended.
  input.on("error", () => undefined);
  output.on("data", read);
  input.write(question);
  void channel.ended.then(() => answered.resolve(false));
  if (over.aborted) giveUp();
  try {
    return await answered.promise;
  } finally {
    over.removeEventListener("abort", giveUp);
    output.off("data", read);
  }
}
