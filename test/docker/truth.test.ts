import assert from "node:assert/strict";
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { segment } from "@ctrlplane/images";
import { options, Truth } from "./truth.support.ts";

const unlabelled = { Image: "busybox", Cmd: ["sleep", "100000"] };

/** What bears a name of ours and is not ours; each with what is said, by which command, and the path by which the engine shows it. */
const foreign = [
  {
    what: "a container of the service's name without our labels",
    make: (truth: Truth) =>
      truth.engine.json({
        method: "POST",
        path: "/containers/create",
        query: { name: `${truth.name}-web` },
        body: unlabelled,
      }),
    path: (truth: Truth) => `/containers/${truth.name}-web/json`,
    code: 6,
    says: /is not of this stack, and is not touched/,
  },
  {
    what: "a container of a stack of the same name with another lineage",
    make: (truth: Truth) =>
      truth.engine.json({
        method: "POST",
        path: "/containers/create",
        query: { name: `${truth.name}-web` },
        body: {
          ...unlabelled,
          Labels: {
            "managed-by": "pctl",
            "pctl-stack": truth.name,
            "pctl-service": `${truth.name}-web`,
            "pctl-lineage": "lin_00000000000000000000000000",
            "pctl-replica-hash": "0".repeat(64),
            "pctl-ordinal": "1",
          },
        },
      }),
    path: (truth: Truth) => `/containers/${truth.name}-web/json`,
    // Of two lineages a name cannot tell which is meant.
    code: 6,
    says: /is not of this stack, and is not touched/,
    needsState: true,
  },
  {
    what: "a network of the stack's name",
    make: (truth: Truth) =>
      truth.engine.json({ method: "POST", path: "/networks/create", body: { Name: `${truth.name}-network` } }),
    path: (truth: Truth) => `/networks/${truth.name}-network`,
    code: 3,
    says: /network \S+-network was not made by pctl/,
  },
  {
    what: "a volume of the service's name",
    make: (truth: Truth) =>
      truth.engine.json({ method: "POST", path: "/volumes/create", body: { Name: `${truth.name}-web-storage` } }),
    path: (truth: Truth) => `/volumes/${truth.name}-web-storage`,
    code: 3,
    says: /volume \S+-web-storage was not made by pctl/,
  },
  {
    what: "a container of the gateway's name",
    make: (truth: Truth) =>
      truth.engine.json({
        method: "POST",
        path: "/containers/create",
        query: { name: `${truth.name}-web-gateway` },
        body: unlabelled,
      }),
    path: (truth: Truth) => `/containers/${truth.name}-web-gateway/json`,
    code: 3,
    says: /-web-gateway is taken by a container that is not ours/,
  },
];

for (const { what, make, path, code, says, needsState } of foreign) {
  test(`${what} is refused, and not touched`, options, async () => {
    await using truth = await Truth.create((port) => web("one", port));
    if (needsState === true) {
      await truth.project.ok("deploy", "--yes");
      await truth.call("DELETE", "web-1", "?force=true");
      await truth.call("DELETE", "web-2", "?force=true");
      await truth.prune();
    }
    await make(truth);
    try {
      const before = await truth.engine.json({ method: "GET", path: path(truth) });
      const said = await truth.project.expect(code, ["deploy", "--yes"]);
      assert.match(said, says);
      assert.match(said, /Rename|rename|Name the stack/);
      assert.deepEqual(await truth.engine.json({ method: "GET", path: path(truth) }), before);
      await truth.project.pctl(["destroy", "--yes", "--volumes", "--remove", "web"]);
      assert.deepEqual(await truth.engine.json({ method: "GET", path: path(truth) }), before);
    } finally {
      const kind = path(truth).split("/")[1] ?? "";
      const query = kind === "containers" ? { force: true } : {};
      await truth.engine.json({ method: "DELETE", path: path(truth).replace(/\/json$/, ""), query });
    }
  });
}

test(
  "an empty checkout on another machine sees the same plan and history, and takes back; without the key all but the values",
  options,
  async () => {
    await using truth = await Truth.create((port) => web("one", port));
    const { project } = truth;
    await project.ok("deploy", "--yes");
    await truth.declare(web("two", truth.port));
    await project.ok("deploy", "--yes", "-m", "the second");
    const history = withoutTimes(await project.ok("history"));
    const before = await truth.containers();

    // The state file and all caches are gone.
    for (const each of await readdir(project.folder))
      if (each !== "pctl.yaml") await rm(join(project.folder, each), { recursive: true });
    await project.ok("plan", "--exit-code");
    assert.equal(withoutTimes(await project.ok("history")), history);

    // Another folder, another user, the same key.
    const elsewhere = join(project.root, "elsewhere");
    const home = join(project.root, "another-home");
    await mkdir(join(home, ".config", "pctl"), { recursive: true });
    await mkdir(elsewhere);
    await cp(join(project.folder, "pctl.yaml"), join(elsewhere, "pctl.yaml"));
    const there = { cwd: elsewhere, env: { HOME: home, USER: "ben", PCTL_KEY: "" } };
    // Without the key: all but the sealed values.
    await project.expect(0, ["plan", "--exit-code"], there);
    assert.equal(withoutTimes(await project.expect(0, ["history"], there)), history);
    const refused = await project.expect(1, ["rollback", "web", "--yes"], there);
    assert.match(refused, /key/);
    await truth.declare(web("three", truth.port));
    await cp(join(project.folder, "pctl.yaml"), join(elsewhere, "pctl.yaml"));
    const masked = await project.expect(0, ["plan"], there);
    assert.match(masked, /was sealed with another key: its environment cannot be compared/);
    assert.deepEqual(await truth.containers(), before);

    await cp(join(project.home, ".config", "pctl", "key"), join(home, ".config", "pctl", "key"));
    await project.expect(0, ["rollback", "web", "--yes"], there);
    assert.equal(await truth.ask(truth.port), "one");
    await truth.declare(web("one", truth.port));
    await project.ok("plan", "--exit-code");
  },
);

test(
  "records that were pruned: services are told from their containers, deployed and taken away as ever; only history is lost",
  options,
  async () => {
    await using truth = await Truth.create();
    const { project } = truth;
    await project.ok("deploy", "--yes");
    // Newer than the containers: a change that replaces none.
    await truth.declare(truth.services("health: { http: / }"));
    await project.ok("deploy", "--yes");
    const before = await truth.containers();
    await truth.prune();
    for (const each of await readdir(project.folder))
      if (each !== "pctl.yaml") await rm(join(project.folder, each), { recursive: true });

    const plan = await truth.plan();
    for (const service of ["web", "solo", "many"]) {
      const action = plan.get(service);
      assert.equal(action?.kind, "configure", service);
      assert.match(action?.notes.join(" ") ?? "", /the record of release \d was removed from the platform/);
    }
    assert.deepEqual(plan.get("solo")?.changes, []);
    assert.match(await project.ok("status"), /web +.*serving/);
    assert.match(await project.ok("exec", "solo", "--", "echo", "here"), /here/);

    await project.ok("deploy", "--yes");
    assert.deepEqual(await truth.containers(), before, "no container is another");
    await project.ok("plan", "--exit-code", "--refresh");
    assert.equal(await truth.ask(truth.port), "web");
    assert.equal(await truth.ask(truth.soloPort), "solo");

    // A change right after another prune is rolled out as ever.
    await truth.prune();
    await truth.declare(truth.services("env: { WORD: another }").replace('env: { WORD: "as declared" }\n', "\n"));
    await project.ok("deploy", "--yes");
    await project.ok("plan", "--exit-code", "--refresh");
    const after = await truth.containers();
    assert.deepEqual([...after.keys()], [...before.keys()]);
    assert.equal(after.get("web-gateway"), before.get("web-gateway"));
    assert.equal(after.get("solo"), before.get("solo"));
    assert.notEqual(after.get("web-1"), before.get("web-1"));

    await truth.prune();
    await project.ok("destroy", "--yes", "--remove", "solo", "--volumes");
    assert.deepEqual(
      (await truth.left()).filter((each) => !each.startsWith("volume/pctl-ledger-")),
      [],
    );
  },
);

test(
  "volumes that an engine left without labels, where the next records go, are passed over and removed",
  options,
  async () => {
    await using truth = await Truth.create();
    await truth.project.ok("deploy", "--yes");
    const spent = new Set<string>();
    const records = (await truth.left()).flatMap((each) => /^volume\/(pctl-\w+-[0-9a-f]{32})\.(\d+)$/.exec(each) ?? []);
    for (let at = 0; at < records.length; at += 3) {
      const Name = `${records[at + 1]}.${Number(records[at + 2]) + 1}`;
      await truth.engine.json({ method: "POST", path: "/volumes/create", body: { Name } });
      spent.add(Name);
    }
    await truth.declare(truth.services().replace("as declared", "another"));
    await truth.project.ok("deploy", "--yes");
    await truth.project.ok("plan", "--exit-code", "--refresh");
    const after = (await truth.left()).filter((each) => spent.has(each.slice("volume/".length)));
    assert.deepEqual(after, [], "records never took these numbers");
    const { Volumes } = await truth.engine.json<{ readonly Volumes: readonly { readonly Name: string }[] }>({
      method: "GET",
      path: "/volumes",
    });
    const stays = Volumes.map(({ Name }) => Name).filter((each) => spent.has(each));
    // Of services that did not change, and of changes, which are written once.
    assert.ok(stays.length < spent.size - 2, stays.join("\n"));
    for (const Name of stays) await truth.engine.json({ method: "DELETE", path: `/volumes/${Name}` });
  },
);

test("what is destroyed leaves its ledger, and volumes with data unless they are asked for", options, async () => {
  await using truth = await Truth.create();
  const { project } = truth;
  await truth.declare(truth.services());
  await project.ok("deploy", "--yes");
  await project.ok("destroy", "--yes", "--remove", "solo");
  assert.deepEqual(
    (await truth.left()).filter((each) => !each.startsWith("volume/pctl-ledger-")),
    [`volume/${truth.name}-solo-storage`],
  );
  assert.match(await project.ok("status"), new RegExp(`volumes that solo left.*: ${truth.name}-solo-storage; `));
  await project.ok("destroy", "--yes", "--volumes", "--remove", "solo");
  assert.deepEqual(
    (await truth.left()).filter((each) => !each.startsWith("volume/pctl-ledger-")),
    [],
  );
  await project.ok("deploy", "--yes");
  await project.ok("destroy", "--yes", "--remove", "solo", "--volumes");
  const left = await truth.left();
  assert.ok(left.length > 0);
  assert.deepEqual(
    left.filter((each) => !each.startsWith("volume/pctl-ledger-")),
    [],
  );
  const found = await truth.engine.json<{ Labels: Record<string, string> }>({
    method: "GET",
    path: `/volumes/${segment(left[0]?.slice("volume/".length) ?? "")}`,
  });
  assert.equal(found.Labels["pctl-role"], "ledger");
});

test("what a first release that failed leaves for its log goes with it", options, async () => {
  await using truth = await Truth.create();
  const { project } = truth;
  await truth.declare(`\n  bad:\n    image: busybox\n    command: [sh, -c, "echo no such table; exit 4"]\n`);
  await project.expect(3, ["deploy", "--yes"]);
  assert.match(await project.ok("logs", "bad", "--change", "1"), /no such table/);
  assert.match(await project.ok("status"), /^bad .* down .* 0 of 0/m);
  assert.match(await project.ok("plan"), /\+ bad .*\n.*1 to create/);
  await project.ok("destroy", "--yes");
  assert.deepEqual(
    (await truth.left()).filter((each) => !each.startsWith("volume/pctl-ledger-")),
    [],
  );
});

test(
  "a plan says who loses the port for a moment where a service leaves direct publishing; none later",
  options,
  async () => {
    await using truth = await Truth.create();
    const { project } = truth;
    const gap = /nobody answers for a moment at port \d+: its container lets go, and a gateway takes over/;
    await truth.declare(truth.services());
    assert.doesNotMatch(await project.ok("plan"), gap);
    await project.ok("deploy", "--yes");
    await truth.declare(truth.services().replace("strategy: recreate", "strategy: rolling"));
    assert.match(await project.ok("plan"), gap);
    const plan = JSON.parse(await project.ok("plan", "--json")) as {
      diagnostics: { code: string; severity: string; field: string }[];
    };
    const told = plan.diagnostics.filter((each) => each.code === "gap");
    assert.deepEqual(
      told.map(({ severity, field }) => [severity, field]),
      [["warning", "services.solo.strategy"]],
    );
    assert.match(await project.ok("deploy", "--yes"), gap);
    assert.equal(await truth.ask(truth.soloPort), "solo");
    // Its gateway stays, whatever the strategy is: there is no gap on the way back.
    await truth.declare(truth.services());
    assert.doesNotMatch(await project.ok("deploy", "--yes"), gap);
    assert.equal(await truth.ask(truth.soloPort), "solo");
  },
);

function web(word: string, port: number): string {
  return `
  web:
    image: busybox
    command: [sh, -c, "trap 'exit 0' TERM; mkdir -p /www; echo $WORD > /www/index.html; httpd -p 8080 -h /www; sleep 100000 & wait"]
    scale: { replica: 2 }
    env: { WORD: ${word} }
    volumes: [{ path: /data }]
    strategy: rolling
    ports: ["127.0.0.1:${port}:8080"]
`;
}

/** How long ago something was goes on while a test runs. */
function withoutTimes(text: string): string {
  return text.replace(/\d+ \w+ ago +/g, "");
}
