import assert from "node:assert/strict";
import { test } from "node:test";
import { parseActivity, parseInfo, parseOldWorkers, parseServers, parseSessions } from "./state.ts";

test("servers with address, weight and state", () => {
  const answer = [
    "1",
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port",
    "4 http-3000 1 s1 172.20.0.2 2 0 99 1 6 1 0 2 0 0 0 0 0123456789ab 3000 - 0 0 - - 0",
    "4 http-3000 2 s2 172.20.0.3 2 8 1 1 8 1 0 2 0 0 0 0 pctl-gateway 3000 - 0 0 - - 0",
    "4 http-3000 3 b1 172.20.0.4 0 105 1 1 8 1 0 2 0 0 0 0 0123456789ab 3000 - 0 0 - - 0",
    "",
  ].join("\n");
  const a = { backend: "http-3000", hostName: "0123456789ab", isBackup: false };
  assert.deepEqual(parseServers(answer), [
    {
      ...a,
      slot: "s1",
      weight: 99,
      isDraining: false,
      isInMaintenance: false,
      isUnknown: false,
      restedS: Infinity,
      address: "172.20.0.2",
      isUp: true,
    },
    {
      ...a,
      slot: "s2",
      hostName: "pctl-gateway",
      weight: 1,
      isDraining: true,
      isInMaintenance: false,
      isUnknown: false,
      restedS: Infinity,
      address: "172.20.0.3",
      isUp: true,
    },
    {
      ...a,
      slot: "b1",
      isBackup: true,
      weight: 1,
      isDraining: true,
      isInMaintenance: true,
      isUnknown: true,
      restedS: 8,
      address: "172.20.0.4",
      isUp: false,
    },
  ]);
  const [first] = parseServers(answer.replace("172.20.0.2", "-"));
  assert.equal(first?.isUnknown, true, "it has no address");
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
      slot: "a",
      inFlight: 3,
      check: "L7OK",
      checkDetail: "Layer7 check passed, status 200",
    },
    {
      backend: "probe-tcp",
      slot: "b",
      inFlight: 0,
      check: "L4CON",
      checkDetail: `Layer4 connection problem, Connection refused, "twice"`,
    },
  ]);
});

test("workers: who answers, and who is ending", () => {
  const info = { pid: 8, structure: "abc123", connections: 3 };
  assert.deepEqual(parseInfo("Name: HAProxy\nPid: 8\nCurrConns: 3\nnode: x\ndescription: abc123\n"), info);
  assert.deepEqual(parseInfo('Pid: 8:"Process"\nCurrConns: 3:"Now"\ndescription: abc123:"of global"\n'), info);
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
  assert.deepEqual(parseOldWorkers(proc), [8]);
});

test("sessions of clients, with the server that they are on", () => {
  const answer = [
    "0x55de10f73180: proto=tcpv4 src=192.168.144.1:53826 fe=port-4000 be=tcp-4000 srv=s1 ts=00 epoch=0 age=3s",
    "0x55de10f73190: proto=tcpv4 src=192.168.144.1:53827 fe=port-4000 be=<NONE> srv=<none> ts=00 epoch=0 age=3s",
    "0x55de10f744f0: proto=sockpair src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0 age=0s calls=2",
  ].join("\n");
  assert.deepEqual(parseSessions(answer), [
    { id: "0x55de10f73180", backend: "tcp-4000", slot: "s1" },
    { id: "0x55de10f73190", backend: "<NONE>", slot: "<none>" },
  ]);
});
