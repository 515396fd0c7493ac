import { CtrlPlaneError, type HealthSpec } from "@ctrlplane/core/provider";

/** How a backend checks its servers. */
export interface Check {
  /** Lines of the backend's section. */
  readonly lines: readonly string[];
  /** Words of each server that is checked. */
  readonly words: string;
}

const portOpen = { intervalMs: 2000, timeoutMs: 2000, retries: 3 };
/** Once a target failed, it is asked this often at least. */
const failingMs = 500;
const probeMs = 200;

export function checkOf(health: HealthSpec | undefined): Check {
  if (health === undefined || health.probe.kind === "command")
    return { lines: timeout(portOpen.timeoutMs), words: words(portOpen) };
  const { probe } = health;
  const port = probe.port === undefined ? "" : ` port ${probe.port}`;
  const lines =
    probe.kind === "http" ? [...httpCheck(probe.path), ...timeout(health.timeoutMs)] : timeout(health.timeoutMs);
  return { lines, words: `${words(health)}${port}` };
}

/** Of a backend that nothing is routed to. */
export function probeCheck(path: string | undefined): Check {
  const lines = path === undefined ? [] : httpCheck(path);
  return { lines: [...lines, ...timeout(2000)], words: `check inter ${probeMs}ms rise 1 fall 1` };
}

function words({ intervalMs, retries }: Pick<HealthSpec, "intervalMs" | "retries">): string {
  const soon = Math.min(failingMs, intervalMs);
  return `check inter ${intervalMs}ms fastinter ${soon}ms downinter ${soon}ms rise 1 fall ${Math.max(1, retries)}`;
}

function timeout(ms: number): readonly string[] {
  return [`timeout check ${ms}ms`];
}

/** 2xx and 3xx pass. */
function httpCheck(path: string): readonly string[] {
  return [
    "option httpchk",
    `http-check send meth GET uri ${quoted(path)} ver HTTP/1.1 hdr Host localhost hdr User-Agent pctl-health hdr Connection close`,
    "http-check expect status 200-399",
  ];
}

/** One word of the configuration, whatever is in it; `INVALID` for what no request line can hold. */
export function quoted(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new CtrlPlaneError("INVALID", `health.http.path holds what a URL cannot: ${JSON.stringify(text)}`, {
      hint: "Write spaces and other special characters percent-encoded, e.g. %20.",
    });
  }
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
