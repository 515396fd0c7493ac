import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlanAction } from "@ctrlplane/core";
import { options, Truth, type Body } from "./truth.support.ts";

interface Row {
  /** What somebody does behind pctl's back. */
  readonly does: string;
  readonly by: (truth: Truth) => Promise<unknown>;
  /** What the plan names: service, field and cause of one change, and what it says of it as it is. */
  readonly sees: readonly [service: string, path: string, cause: string, before: RegExp];
  /** The list shows nothing: only `--refresh` does. */
  readonly onlyByRefresh?: true;
  /** Containers that may be others afterwards. */
  readonly touches: readonly string[];
}

const other = "ctrlplane-truth:other";
const withEnv = (line: string) => (body: Body) => {
  body.Env = [...body.Env.filter((each) => !each.startsWith(`${line.split("=")[0]}=`)), line];
};

const rows: readonly Row[] = [
  {
    does: "a replica is removed",
    by: (truth) => truth.call("DELETE", "web-1", "?force=true"),
    sees: ["web", "replicas", "missing", /^1 of 2 ready$/],
    touches: ["web-1"],
  },
  {
    does: "a replica is stopped",
    by: (truth) => truth.call("POST", "web-2", "/stop?t=1"),
    sees: ["web", "replicas", "drift", /^1 of 2 ready$/],
    touches: [],
  },
  {
    does: "a replica is renamed",
    by: (truth) => truth.call("POST", "web-1", `/rename?name=${truth.name}-other`),
    sees: ["web", "name", "drift", /-other$/],
    touches: [],
  },
  {
    does: "one replica is lost of a range",
    by: (truth) => truth.call("DELETE", "many-2", "?force=true"),
    sees: ["many", "replicas", "missing", /^1 of 2 ready$/],
    touches: ["many-2"],
  },
  {
    does: "a replica is made again of another image",
    by: (truth) => truth.remake("web-2", (body) => (body.Image = other)),
    sees: ["web", "image", "drift", /^ctrlplane-truth:other on /],
    touches: ["web-2"],
  },
  {
    does: "a replica that publishes its port is made again of another image",
    by: (truth) => truth.remake("solo", (body) => (body.Image = other)),
    sees: ["solo", "image", "drift", /^ctrlplane-truth:other on /],
    touches: ["solo"],
  },
  {
    does: "a replica is made again with another value in its environment",
    by: (truth) => truth.remake("web-2", withEnv("WORD=secretly another")),
    sees: ["web", "env.WORD", "drift", /^another value on /],
    touches: ["web-2"],
  },
  {
    does: "a replica is made again with one more variable",
    by: (truth) => truth.remake("web-1", withEnv("MORE=1")),
    sees: ["web", "env.MORE", "drift", /^a value on /],
    touches: ["web-1"],
  },
  {
    does: "a limit is changed",
    by: (truth) => truth.call("POST", "web-1", "/update", { Memory: 48 * 1024 ** 2, MemorySwap: 48 * 1024 ** 2 }),
    sees: ["web", "scale.memoryMb", "drift", /^48 on /],
    onlyByRefresh: true,
    touches: [],
  },
  {
    does: "a limit is set where there is none",
    by: (truth) => truth.call("POST", "solo", "/update", { NanoCpus: 500_000_000 }),
    sees: ["solo", "scale.cpuMillis", "drift", /^500 on /],
    onlyByRefresh: true,
    touches: ["solo"],
  },
  {
    does: "a port is another",
    by: (truth) =>
      truth.remake("solo", (body) => {
        body.HostConfig.PortBindings = { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] };
      }),
    sees: ["solo", "ports", "drift", /^\d+->8080\/tcp on /],
    touches: ["solo"],
  },
  {
    does: "a port is gone",
    by: (truth) => truth.remake("solo", (body) => (body.HostConfig.PortBindings = {})),
    sees: ["solo", "ports", "drift", /^none on /],
    touches: ["solo"],
  },
  {
    does: "a label of ours is gone",
    by: (truth) => truth.remake("web-2", (body) => delete body.Labels["pctl-replica-hash"]),
    sees: ["web", "revisions", "drift", /runs as well$/],
    touches: ["web-2"],
  },
  {
    does: "a label of ours is another",
    by: (truth) => truth.remake("web-2", (body) => (body.Labels["pctl-replica-hash"] = "0".repeat(64))),
    sees: ["web", "revisions", "drift", /^00000000 runs as well$/],
    touches: ["web-2"],
  },
  {
    does: "a replica is too many",
    by: (truth) => truth.remake("web-2", (body) => (body.Labels["pctl-ordinal"] = "3"), "web-3"),
    sees: ["web", "replicas", "drift", /^3 replicas$/],
    touches: [],
  },
  {
    does: "the gateway is gone",
    by: (truth) => truth.call("DELETE", "web-gateway", "?force=true"),
    sees: ["web", "gateway", "missing", /^gone$/],
    touches: ["web-gateway"],
  },
  {
    does: "the gateway is stopped",
    by: (truth) => truth.call("POST", "web-gateway", "/stop?t=1"),
    sees: ["web", "gateway", "drift", /-gateway: exited$/],
    touches: [],
  },
  {
    does: "the gateway is taken out of the network",
    by: (truth) => disconnect(truth, "web-gateway"),
    sees: ["web", "network", "drift", /^not in it on .*-gateway$/],
    touches: ["web-gateway"],
  },
  {
    does: "a replica is taken out of the network",
    by: (truth) => disconnect(truth, "web-1"),
    sees: ["web", "network", "drift", /^not in it on .*-web-1$/],
    touches: ["web-1"],
  },
  {
    does: "a volume is gone, with the container that had it",
    by: async (truth) => {
      await truth.call("DELETE", "solo", "?force=true");
      await truth.removeKept("solo");
      await truth.engine.json({ method: "DELETE", path: `/volumes/${truth.name}-solo-storage` });
    },
    sees: ["solo", "volumes", "missing", /-solo-storage is gone$/],
    touches: ["solo"],
  },
  {
    does: "the network is gone",
    by: async (truth) => {
      for (const each of (await truth.containers()).keys()) {
        // Half of them run on without it, half are stopped in it.
        if (each.endsWith("1")) await truth.call("POST", each, "/stop?t=1");
        else await disconnect(truth, each);
      }
      await truth.engine.json({ method: "DELETE", path: `/networks/${truth.name}-network` });
    },
    sees: ["web", "network", "missing", /-network is gone$/],
    touches: ["web-1", "web-2", "web-gateway", "solo", "many-1", "many-2"],
  },
];

test(
  "what somebody changes behind pctl's back: the plan names it, one deploy heals it and touches nothing else",
  options,
  async (t) => {
    await using truth = await Truth.create();
    await truth.engine.json({
      method: "POST",
      path: "/images/busybox/tag",
      query: { repo: "ctrlplane-truth", tag: "other" },
    });
    await truth.project.ok("deploy", "--yes");
    await truth.project.ok("plan", "--exit-code", "--refresh");
    const names = [...(await truth.containers()).keys()];
    assert.deepEqual(names, ["many-1", "many-2", "solo", "web-1", "web-2", "web-gateway"]);
    for (const { does, by, sees, onlyByRefresh, touches } of rows) {
      await t.test(does, async () => {
        const before = await truth.containers();
        await by(truth);
        const [service, path, cause, seen] = sees;
        if (onlyByRefresh === true) await truth.project.ok("plan", "--exit-code");
        const plan = await truth.plan(...(needsRefresh(path, onlyByRefresh) ? ["--refresh"] : []));
        const found = plan.get(service);
        const change = found?.changes.find((each) => each.path === path && each.cause === cause);
        assert.match(change?.before ?? "", seen, JSON.stringify(found));
        if (path !== "network")
          assert.deepEqual(pending(plan.values()), [service], "what was not touched is unchanged");

        await truth.project.ok("deploy", "--yes", ...(onlyByRefresh === true ? ["--refresh"] : []));
        await truth.project.ok("plan", "--exit-code", "--refresh");
        const after = await truth.containers();
        assert.deepEqual([...after.keys()], names);
        const others = names.filter((each) => after.get(each) !== before.get(each));
        assert.deepEqual(
          others.filter((each) => !touches.includes(each)),
          [],
          "other containers are the same",
        );
        assert.equal(await truth.ask(truth.port), "web");
        assert.equal(await truth.ask(truth.soloPort), "solo");
      });
    }
    await truth.engine.json({ method: "DELETE", path: `/images/${other}` });
  },
);

/** The list shows a replica that was made anew as one that is not routed; what it differs in, only its inspection. */
function needsRefresh(path: string, onlyByRefresh: true | undefined): boolean {
  return onlyByRefresh === true || path.startsWith("env.");
}

function pending(actions: Iterable<PlanAction>): string[] {
  return [...actions].filter((each) => each.kind !== "keep").map((each) => each.instance.service);
}

function disconnect(truth: Truth, container: string): Promise<unknown> {
  return truth.engine.json({
    method: "POST",
    path: `/networks/${truth.name}-network/disconnect`,
    body: { Container: `${truth.name}-${container}`, Force: true },
  });
}
