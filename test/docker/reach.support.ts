import { readFileSync, readdirSync } from "node:fs";
import type { Duplex } from "node:stream";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connectEngine, type EngineClient, type SshEndpoint } from "@ctrlplane/images";
import { isCtrlPlaneError, type ErrorCode } from "@ctrlplane/core/provider";
import { dockerHosts, type DockerHost, type HostUser } from "../engines/hosts.ts";

export const hosts = await dockerHosts();
export const skip: string | false = hosts === undefined ? "missing: Docker Engine" : false;

export function requireHosts(): readonly [DockerHost, DockerHost] {
  if (hosts === undefined) throw new Error("no hosts run: test/engines/hosts.ts up");
  return hosts;
}

export function endpointOf(host: DockerHost, user: HostUser, changes: Partial<SshEndpoint> = {}): SshEndpoint {
  const { address, key, hostKey } = host;
  return { kind: "ssh", host: address, user, key, hostKey, sudo: user !== "admin", ...changes };
}

/** Closed when the test ends. */
export function clientOf(t: TestContext, endpoint: SshEndpoint): EngineClient {
  const engine = connectEngine(endpoint);
  t.after(() => engine.close());
  return engine;
}

/** For `assert.rejects`: an error of ours with this code, these words in message and hint. */
export function refusal(code: ErrorCode, words: RegExp, isRetryable: boolean): (error: unknown) => boolean {
  return (error) => {
    if (!isCtrlPlaneError(error)) throw error;
    const text = `${error.message}\n${error.hint ?? ""}`;
    const seen = `${error.code} ${error.retryable} ${text}`;
    if (error.code !== code || error.retryable !== isRetryable || !words.test(text)) throw new Error(seen);
    return true;
  };
}

/** What sshd wrote while `work` ran: logins, dropped connections, refused sessions. */
export async function sshdLog(host: DockerHost, work: () => Promise<void>): Promise<string[]> {
  const before = readLog(host).length;
  await work();
  return readLog(host).slice(before).split("\n");
}

function readLog(host: DockerHost): string {
  return host.run("cat", ["/var/log/sshd.log"]);
}

/** The one that listens begins anew; what is connected stays. */
export async function restartSshd(host: DockerHost): Promise<void> {
  const count = (): number => readLog(host).split("Server listening on 0.0.0.0").length;
  const before = count();
  host.run("sh", ["-c", "kill -HUP $(cat /run/sshd.pid)"]);
  for (const until = performance.now() + 5000; count() === before; await sleep(20)) {
    if (performance.now() > until) throw new Error(`sshd of ${host.name} does not begin anew`);
  }
}

/** Of the connections that this machine holds to a host, with the words of their command lines. */
export function masters(host: DockerHost, user: HostUser): { readonly pid: number; readonly words: string[] }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), words: commandLine(name) }))
    .filter(({ words }) => words[0] === "ssh" && words.includes("-M"))
    .filter(({ words }) => words.at(-1) === host.address && words[words.indexOf("-l") + 1] === user);
}

/** Waits for the connections that were ended: their processes are gone a moment after their sockets. */
export async function untilNone(host: DockerHost, user: HostUser): Promise<void> {
  for (const until = performance.now() + 2000; masters(host, user).length > 0; await sleep(10)) {
    if (performance.now() > until) throw new Error(`left: ${JSON.stringify(masters(host, user))}`);
  }
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    // It has ended since it was listed.
    return [];
  }
}

/** Standard output out of the frames that the engine sends for a process without a terminal. */
export async function unframed(stream: Duplex): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of stream) parts.push(chunk as Buffer);
  const all = Buffer.concat(parts);
  const output: Buffer[] = [];
  for (let at = 0; at < all.length;) {
    const size = all.readUInt32BE(at + 4);
    if (all[at] === 1) output.push(all.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return Buffer.concat(output);
}
