import { Agent, get } from "node:http";

/** Requests at a fixed rate over kept-alive connections, whatever the answers take, without a retry. */
export class Load {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #timer: NodeJS.Timeout;
  readonly #requests: Promise<void>[] = [];
  readonly #answers: string[] = [];
  readonly #failed: string[] = [];
  readonly #url: string;

  constructor(url: string, perSecond: number) {
    this.#url = url;
    this.#timer = setInterval(() => this.#requests.push(this.#send()), 1000 / perSecond);
  }

  /** Stops sending, waits for what is under way, and tells how it went. */
  async end(): Promise<{ sent: number; failed: string[]; answers: string[] }> {
    clearInterval(this.#timer);
    await Promise.all(this.#requests);
    this.#agent.destroy();
    return { sent: this.#requests.length, failed: this.#failed, answers: this.#answers };
  }

  #send(): Promise<void> {
    return new Promise((resolve) => {
      const fail = (why: string) => {
        this.#failed.push(why);
        resolve();
      };
      const request = get(this.#url, { agent: this.#agent, timeout: 10_000 }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("error", (error) => fail(error.message));
        response.on("end", () => {
          if (response.statusCode !== 200) return fail(`${response.statusCode} ${text.trim()}`);
          this.#answers.push(text);
          resolve();
        });
      });
      request.on("timeout", () => request.destroy(new Error("no answer in 10 s")));
      request.on("error", (error) => fail(error.message));
    });
  }
}
