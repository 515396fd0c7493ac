import { CtrlPlaneError, type ErrorCode } from "@ctrlplane/core/provider";
import { describeEndpoint, type SshEndpoint } from "../endpoint.ts";
import type { NetworkAddress } from "../reach.ts";
import type { Refusal } from "./refusal.ts";

interface Reading {
  /** In what `ssh`, `sudo` or `docker` said. */
  readonly words: RegExp;
  readonly code: ErrorCode;
  /** After the endpoint. */
  readonly message: string;
  readonly hint: string;
}

/** What `ssh` says of a connection that it could not make; the first that fits. */
const connecting: readonly Reading[] = [
  {
    words: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed/i,
    code: "UNAUTHORIZED",
    message: "the host shows another key than the one that is known",
    hint: "Was it installed anew? Only then put its new key into `hostKey`, or remove the old one with `ssh-keygen -R`. Otherwise somebody may stand between you and it.",
  },
  {
    words: /Load key .*: /i,
    code: "UNAUTHORIZED",
    message: "`ssh` cannot read the private key",
    hint: "It must be the whole text of an OpenSSH or PEM key, without a passphrase, or with one that the ssh-agent knows.",
  },
  {
    words: /Permission denied|Too many authentication failures|no more authentication methods/i,
    code: "UNAUTHORIZED",
    message: "the host refuses the login",
    hint: "Is the public half of `key` in ~/.ssh/authorized_keys of that user? A key with a passphrase must be in the ssh-agent, because nobody is asked.",
  },
  {
    words: /Could not resolve hostname/i,
    code: "UNAVAILABLE",
    message: "no such host is known to the name service",
    hint: "Check the spelling of `host`, and the network of this machine.",
  },
  {
    words: /Connection refused/i,
    code: "UNAVAILABLE",
    message: "nothing listens on the host's SSH port",
    hint: "Is sshd running there, and is `port` the right one?",
  },
  {
    words: /timed out|No route to host|Network is unreachable|Host is down/i,
    code: "UNAVAILABLE",
    message: "the host does not answer",
    hint: "Is it up, and does a firewall let this machine through?",
  },
  {
    words: /kex_exchange_identification|banner exchange|Connection (closed|reset) by/i,
    code: "UNAVAILABLE",
    message: "the host drops new connections before it says a word",
    hint: "sshd does so while many log in (`MaxStartups`), and for a while after failed logins (`PerSourcePenalties`): wait a minute.",
  },
  {
    words: /Bad owner or permissions|Bad configuration option|terminating, \d+ bad configuration/i,
    code: "INVALID",
    message: "`ssh` does not accept its configuration",
    hint: "`ssh -G` with the host's name says what is wrong with it.",
  },
];

/** What is said on the host where `docker system dial-stdio` does not run. */
const dialling: readonly Reading[] = [
  {
    words: /sudo: .*(password is required|terminal is required|must have a tty)/i,
    code: "FORBIDDEN",
    message: "`sudo` wants a password on the host, and nobody is there to type it",
    hint: "Let the user run `docker system dial-stdio` without one: a line `USER ALL=(root) NOPASSWD: /usr/bin/docker system dial-stdio` by `visudo`.",
  },
  {
    words: /sudo: .*not allowed|not in the sudoers|may not run sudo|not allowed to execute/i,
    code: "FORBIDDEN",
    message: "the user may not run docker by `sudo` on the host",
    hint: "Let the user run `docker system dial-stdio`: a line `USER ALL=(root) NOPASSWD: /usr/bin/docker system dial-stdio` by `visudo`.",
  },
  {
    words: /sudo: (command )?not found|sudo: No such file|env: .?sudo/i,
    code: "UNSUPPORTED",
    message: "there is no `sudo` on the host",
    hint: "Leave `sudo` out where the user may use the engine's socket.",
  },
  {
    words: /not found|No such file or directory.*docker$|Unknown command:? docker/im,
    code: "UNSUPPORTED",
    message: "there is no `docker` command on the host",
    hint: "Install Docker there; the command must lie in the PATH of a login without a terminal.",
  },
  {
    words: /permission denied/i,
    code: "FORBIDDEN",
    message: "the user may not use the engine's socket on the host",
    hint: "Set `sudo: true`, or add the user to the group `docker` there.",
  },
  {
    words: /connection refused|no such file or directory|cannot connect to the docker daemon|i\/o timeout/i,
    code: "UNAVAILABLE",
    message: "the Docker Engine does not run on the host",
    hint: "`systemctl status docker` on the host says why.",
  },
  {
    words: /account is currently not available|This account|nologin/i,
    code: "FORBIDDEN",
    message: "the user may log in, but run no command",
    hint: "Give the user a shell on the host.",
  },
];

/** A connection that could not be made, from the words of `ssh`. Unknown host keys are told by `unknownHostKey`. */
export function connectFailure(endpoint: SshEndpoint, said: string): CtrlPlaneError {
  return failure(endpoint, said, connecting, "`ssh` cannot connect");
}

/** A channel that could not be made, from what was said on the host. */
export function dialFailure(endpoint: SshEndpoint, said: string): CtrlPlaneError {
  return failure(endpoint, said, dialling, "no Docker Engine can be reached on the host");
}

/**
 * Why the host did not connect to an address in its networks: UNSUPPORTED where its sshd forbids it, otherwise an error with the code of the system,
 * `ECONNREFUSED` where nothing listens.
 */
export function forwardFailure(
  subject: string,
  { host, port }: NetworkAddress,
  { isForbidden, reason }: Refusal,
): Error {
  if (isForbidden) {
    return new CtrlPlaneError("UNSUPPORTED", `${subject}: the host's sshd forbids connections to its containers`, {
      target: subject,
      hint: "Set `AllowTcpForwarding` to `local` or `yes` in its sshd_config.",
    });
  }
  const isRefused = /connection refused/i.test(reason);
  const [code, words] = isRefused
    ? ["ECONNREFUSED", "refused the connection"]
    : ["EHOSTUNREACH", `cannot be reached (${reason})`];
  const message = `${host}:${port} ${words}`;
  return Object.assign(new Error(message), { code });
}

/** Whether a host was too busy to talk: sshd drops connections at random beyond its `MaxStartups`. */
export function isThrottled(said: string): boolean {
  return (
    /kex_exchange_identification|banner exchange|Connection (closed|reset) by/i.test(said) && !/timed out/i.test(said)
  );
}

/** Whether `ssh` trusts no key of this host. */
export function isUnknownHostKey(said: string): boolean {
  return /No \S+ host key is known|Host key verification failed/i.test(said) && !/HAS CHANGED/i.test(said);
}

/** A channel that ended while it was used. */
export function brokenChannel(endpoint: SshEndpoint, said: string): CtrlPlaneError {
  const subject = describeEndpoint(endpoint);
  const reason = lastLine(said) ?? "it was cut";
  return new CtrlPlaneError("UNAVAILABLE", `the connection to ${subject} broke: ${reason}`, {
    target: subject,
    retryable: true,
    hint: "Run the same command again: it connects anew. If it happens often, look at the log of sshd on the host.",
  });
}

function failure(endpoint: SshEndpoint, said: string, readings: readonly Reading[], other: string): CtrlPlaneError {
  const subject = describeEndpoint(endpoint);
  const found = readings.find((each) => each.words.test(said));
  const { code, message, hint } = found ?? { code: "UNAVAILABLE" as const, message: other, hint: undefined };
  const words = lastLine(said);
  return new CtrlPlaneError(code, `${subject}: ${message}${words === undefined ? "" : ` (${words})`}`, {
    target: subject,
    retryable: code === "UNAVAILABLE",
    hint: hint ?? "Try the same with `ssh -v` and the host's name.",
  });
}

function lastLine(said: string): string | undefined {
  return said
    .split("\n")
    .map((line) => line.trim())
    .findLast((line) => line !== "");
}
