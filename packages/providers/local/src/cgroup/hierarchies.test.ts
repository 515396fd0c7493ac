import assert from "node:assert/strict";
import { test } from "node:test";
import { findHierarchies, type CgroupTexts } from "./hierarchies.ts";
import { cgroupSupport } from "./support.ts";

/** A machine by its texts: which groups this user may write to, and what its files say. */
function machine(of: {
  readonly membership: string;
  readonly mounts: string;
  readonly writable: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}): CgroupTexts {
  return {
    membership: of.membership,
    mounts: of.mounts,
    read: (path) => of.files?.[path],
    canWrite: (path) => of.writable.some((group) => path === group || path.replace(/\/cgroup\.[a-z_]+$/, "") === group),
  };
}

const version2 = "29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
const apps = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice";

test("version 2, in a scope of the user's own manager: groups beside it", () => {
  const scope = "/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope";
  const texts = machine({
    membership: `0::${scope}\n`,
    mounts: version2,
    writable: [apps, `${apps}/run-1.scope`],
    files: {
      [`${apps}/cgroup.subtree_control`]: "cpu memory pids\n",
      [`${apps}/cgroup.type`]: "domain\n",
      [`${apps}/cgroup.procs`]: "",
      [`${apps}/cgroup.controllers`]: "cpu memory pids\n",
    },
  });
  assert.deepEqual(findHierarchies(texts), [
    { version: 2, controllers: ["cpu", "memory"], base: apps, home: `/sys/fs/cgroup${scope}/cgroup.procs` },
  ]);
});

test("version 2, in a login session of another's: no limits, and why", () => {
  const texts = machine({
    membership: "0::/user.slice/user-1000.slice/session-3.scope\n",
    mounts: version2,
    writable: [],
  });
  assert.deepEqual(cgroupSupport(texts), {
    cpu: false,
    memory: false,
    reason: "no control group for cpu and memory that this user may write to",
  });
});

test("version 2, as root at the top: what is available can be enabled", () => {
  const texts = machine({
    membership: "0::/\n",
    mounts: version2,
    writable: ["/sys/fs/cgroup"],
    files: {
      "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory\n",
      "/sys/fs/cgroup/cgroup.subtree_control": "\n",
    },
  });
  assert.deepEqual(cgroupSupport(texts), { cpu: true, memory: true });
});

test("version 1 beside an empty version 2, memory without cpu", () => {
  const texts = machine({
    membership: "8:memory:/job/1\n3:cpu,cpuacct:/\n0::/\n",
    mounts: [
      "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct",
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
    ].join("\n"),
    writable: ["/sys/fs/cgroup/memory/job/1", "/sys/fs/cgroup/unified"],
  });
  assert.deepEqual(
    findHierarchies(texts).map(({ version, base }) => [version, base]),
    [[1, "/sys/fs/cgroup/memory/job/1"]],
  );
  assert.equal(cgroupSupport(texts).reason, "no control group for cpu that this user may write to");
});
