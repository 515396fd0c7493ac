import assert from "node:assert/strict";
import { test } from "node:test";
import { parseActivity, parseInfo, parseServers, parseWorkers } from "./state.ts";

test("servers with address, weight and state", () => {
  const answer = [
    "1",
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port",
    "4 http-3000 1 a 172.20.0.2 2 0 99 1 6 1 0 2 0 0 0 0 - 3000 - 0 0 - - 0",
    "4 http-3000 2 b 172.20.0.3 2 8 1 1 8 1 0 2 0 0 0 0 0123456789ab 3000 - 0 0 - - 0",
    "4 http-3000 3 c 172.20.0.4 0 9 1 1 8 1 0 2 0 0 0 0 - 3000 - 0 0 - - 0",
    "",
  ].join("\n");
  const common = { backend: "http-3000", port: 3000 };
  assert.deepEqual(parseServers(answer), [
    {
      ...common,
      name: "a",
      host: "172.20.0.2",
      weight: 99,
      isFollowed: false,
      isDraining: false,
      isInMaintenance: false,
    },
    { ...common, name: "b", host: "172.20.0.3", weight: 1, isFollowed: true, isDraining: true, isInMaintenance: false },
    { ...common, name: "c", host: "172.20.0.4", weight: 1, isFollowed: false, isDraining: true, isInMaintenance: true },
  ]);
  assert.deepEqual(parseServers(""), []);
  assert.deepEqual(parseServers("No such backend."), []);
});

test("what is open, what waits, and what the last check saw", () => {
  const answer = [
    "# pxname,svname,qcur,scur,status,check_status,check_code,last_chk,check_desc,",
    "http-3000,a,1,2,UP,L7OK,200,,Layer7 check passed,",
    `probe-tcp,b,0,0,DOWN,* L4CON,0,"Connection refused, ""twice""",Layer4 connection problem,`,
    "",
  ].join("\n");
  assert.deepEqual(parseActivity(answer), [
    {
      backend: "http-3000",
      name: "a",
      inFlight: 3,
      check: "L7OK",
      checkDetail: "Layer7 check passed, status 200",
    },
    {
      backend: "probe-tcp",
      name: "b",
      inFlight: 0,
      check: "L4CON",
      checkDetail: `Layer4 connection problem, Connection refused, "twice"`,
    },
  ]);
});

test("workers: who answers, and who is ending", () => {
  assert.deepEqual(parseInfo("Name: HAProxy\nPid: 8\nnode: x\ndescription: abc123\n"), { pid: 8, structure: "abc123" });
  assert.deepEqual(parseInfo('Pid: 8\ndescription: abc123:"of global"\n'), { pid: 8, structure: "abc123" });
  assert.equal(parseInfo(""), undefined);
  const proc = [
    "#<PID>          <type>          <reloads>       <uptime>        <version>",
    "1               master          2 [failed: 0]   0d00h00m08s     2.6.12",
    "# workers",
    "33              worker          0               0d00h00m01s     2.6.12",
    "# old workers",
    "8               worker          1               0d00h00m08s     2.6.12",
    "# programs",
  ].join("\n");
  assert.deepEqual(parseWorkers(proc), [33, 8]);
});
