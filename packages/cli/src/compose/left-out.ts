import type { Draft } from "./draft.ts";
import type { Field } from "./field.ts";

const rights = "Containers get no further rights. Keep what needs them with compose, or run it on the host itself.";
const inImage = "Set it in the image (a Dockerfile of two lines will do).";
const network = "Replicas have the network of their stack, with the engine's own settings.";
const quota = "Limit it by `scale: { cpu, memory }`.";
const logging = "Logs rotate at 20 MB, five files; `pctl logs` reads them.";
const swarm = "It is for another kind of engine.";
const outside = "Keep what needs it with compose.";

/** What to do instead of a field that has no counterpart. */
const instead: Readonly<Record<string, string>> = {
  ...all(
    ["privileged", "cap_add", "cap_drop", "security_opt", "device_cgroup_rules", "userns_mode", "use_api_socket"],
    rights,
  ),
  ...all(["devices"], "No device is passed through, GPUs apart: `scale: { gpu: { count: 1 } }`."),
  ...all(["user", "working_dir", "group_add", "read_only", "init"], inImage),
  ...all(["dns", "dns_search", "dns_opt", "mac_address", "extra_hosts", "sysctls", "domainname"], network),
  ...all(
    ["cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "cpuset"],
    quota,
  ),
  ...all(
    [
      "mem_reservation",
      "mem_swappiness",
      "memswap_limit",
      "oom_kill_disable",
      "oom_score_adj",
      "pids_limit",
      "blkio_config",
      "ulimits",
    ],
    quota,
  ),
  ...all(
    [
      "cgroup",
      "cgroup_parent",
      "ipc",
      "pid",
      "uts",
      "isolation",
      "runtime",
      "storage_opt",
      "credential_spec",
      "provider",
      "models",
    ],
    outside,
  ),
  shm_size: "It is the engine's 64 MB. Programs that need more mostly have an option to use /tmp.",
  logging,
  volumes_from: "Name the volume, and mount it in both services.",
  external_links: "Name the other one's address in `env`.",
  label_file: "Labels are pctl's own.",
  annotations: "Labels are pctl's own.",
  post_start: "Let the command do it first, or a job: `kind: job`, `needs: { it: healthy }`.",
  pre_stop: "Handle the signal in the program; `stop: { signal, grace }` say which, and how long it has.",
  ...all(["driver_opts"], swarm),
};

/** Nobody misses these where a stack is deployed. */
const meaningless = new Set([
  "attach",
  "develop",
  "stdin_open",
  "tty",
  "pull_policy",
  "extends",
  "profiles",
  "image",
  "build",
  "platform",
]);

/** A field of a service that nothing else translated. */
export function leaveOut(field: Field, draft: Draft): void {
  const key = String(field.key);
  if (meaningless.has(key) || key.startsWith("x-")) return;
  if (key === "labels") return leaveLabels(field, draft);
  if (key === "network_mode") return leaveNetworkMode(field, draft);
  const advice = instead[key];
  if (advice === undefined) {
    field.problem(`compose has no \`${key}\` in a service`, "Correct it, or remove it.");
    return;
  }
  // What is switched off is not missed.
  if (field.value === false || (field.isList && field.items().length === 0)) return;
  draft.leave(field, `\`${key}\` has no counterpart`, advice);
}

function leaveLabels(field: Field, draft: Draft): void {
  const isProxy = /traefik\.|caddy|VIRTUAL_HOST|nginx-proxy/i.test(JSON.stringify(field.value));
  const advice = isProxy
    ? "A proxy that finds services by their labels finds none: name it `{service}` and its port in the proxy's own file."
    : "What reads them has to be told otherwise.";
  draft.leave(field, "labels are pctl's own", advice);
}

function leaveNetworkMode(field: Field, draft: Draft): void {
  const mode = String(field.value);
  if (mode === "bridge") return;
  const advice =
    mode === "host"
      ? "Publish what others reach under `ports`; what needs the host's own network stays with compose."
      : mode === "none"
        ? outside
        : "Let both have their own addresses: each is found by its name.";
  draft.leave(field, `\`network_mode: ${mode}\` has no counterpart`, advice);
}

function all(keys: readonly string[], advice: string): Record<string, string> {
  return Object.fromEntries(keys.map((key) => [key, advice]));
}
