import type { Readable, Writable } from "node:stream";

const question = "HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n";
const answer = /HTTP\/1\.\d \d{3}[^]*\r\n\r\n$/;
/** Kept of what comes before the engine's first words. */
const keptCharacters = 64 * 1024;
/** How long the engine may take for them: a slow host starts `sudo` and `docker` first. */
export const answerMs = 20_000;

/**
 * Asks the engine a first question, which changes nothing: whether it answers at all is known before a request is sent. `answered` is called at its
 * answer, of which nothing is left to read; what a login shell prints first is passed over. Returns what ends the listening.
 */
export function greet(input: Writable, output: Readable, answered: () => void): () => void {
  let heard = "";
  const read = (chunk: Buffer): void => {
    heard = (heard + chunk.toString("latin1")).slice(-keptCharacters);
    if (!answer.test(heard)) return;
    output.pause();
    answered();
  };
  // Whoever ends early breaks the pipe; why is known when it has ended.
  input.on("error", () => undefined);
  output.on("data", read);
  input.write(question);
  return () => void output.off("data", read);
}
