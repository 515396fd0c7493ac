import { spawn } from "node:child_process";
import { connect } from "node:net";
import type { HealthSpec } from "@ctrlplane/core/provider";
import { signalGroup } from "../process/group.ts";
import { request } from "../protocol/node-http.ts";

/** What a probe found. `reason` completes "the health check failed: …". */
export type ProbeResult =
  { readonly ok: true; readonly host?: string } | { readonly ok: false; readonly reason: string };

/** What a probe runs against. */
export interface ProbeTarget {
  /** The machine's port for a container port; undefined where the replica has no such port. */
  portOf(containerPort: number | undefined): number | undefined;
  readonly cwd: string;
  /** The replica's whole environment. */
  env(): Readonly<Record<string, string>>;
}

/** A program that listens on `localhost` alone may do so on either address. */
export const loopbacks = ["127.0.0.1", "::1"] as const;

/** The loopback address at which something listens on a port; undefined where nothing does. `hosts`: those to ask. */
export async function openHost(
  port: number,
  timeoutMs: number,
  hosts: readonly string[] = loopbacks,
): Promise<string | undefined> {
  for (const host of hosts) if (await canConnect(host, port, timeoutMs)) return host;
  return undefined;
}

function canConnect(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.setTimeout(timeoutMs, () => finish(false));
    socket.once("connect", () => finish(true));
    socket.once("error", () => finish(false));
  });
}

/** One probe. Never throws: what goes wrong is its result. */
export async function probe(health: HealthSpec, target: ProbeTarget): Promise<ProbeResult> {
  const spec = health.probe;
  if (spec.kind === "command") return probeCommand(spec.command, health.timeoutMs, target);
  const port = target.portOf(spec.port);
  if (port === undefined) return { ok: false, reason: `there is no port ${spec.port ?? ""} to ask` };
  const host = await openHost(port, health.timeoutMs);
  if (host === undefined) return { ok: false, reason: `port ${port} is closed` };
  return spec.kind === "tcp" ? { ok: true, host } : probeHttp(host, port, spec.path, health.timeoutMs);
}

function probeHttp(host: string, port: number, path: string, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const fail = (reason: string): void => resolve({ ok: false, reason: `GET ${path}: ${reason}` });
    const options = { host, port, path, agent: false, headers: { "user-agent": "pctl-health" } } as const;
    const outgoing = request({ ...options, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      const status = response.statusCode ?? 0;
      response.once("error", () => fail("the answer broke off")).resume();
      outgoing.destroy();
      if (status >= 200 && status < 400) resolve({ ok: true, host });
      else fail(`status ${status}`);
    });
    outgoing.once("error", (error) =>
      fail(
        error.name === "AbortError" || error.name === "TimeoutError" ? `no answer in ${timeoutMs} ms` : error.message,
      ),
    );
    outgoing.end();
  });
}

function probeCommand(
  command: { readonly shell: string } | { readonly args: readonly string[] },
  timeoutMs: number,
  target: ProbeTarget,
): Promise<ProbeResult> {
  const [file = "", ...args] = "shell" in command ? ["/bin/sh", "-c", command.shell] : command.args;
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: target.cwd, env: { ...target.env() }, stdio: "ignore", detached: true });
    const tooLong = setTimeout(() => {
      resolve({ ok: false, reason: `no end in ${timeoutMs} ms` });
      if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
    }, timeoutMs);
    child.once("error", (error) => {
      clearTimeout(tooLong);
      resolve({ ok: false, reason: error.message });
    });
    child.once("exit", (code, signal) => {
      clearTimeout(tooLong);
      resolve(
        code === 0 ? { ok: true } : { ok: false, reason: code === null ? `ended by ${signal}` : `exit code ${code}` },
      );
    });
  });
}
