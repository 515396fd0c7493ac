import assert from "node:assert/strict";
import { test } from "node:test";
import { options, Truth } from "./truth.support.ts";

const gap = /nobody answers for a moment at ports? \d+/;

/** A service whose answer is the content of a file that is put into it. */
function service(port: number, strategy: string, ports = [`127.0.0.1:${port}:8080`]): string {
  return `
  web:
    image: busybox
    command: [sh, -c, "trap 'exit 0' TERM; mkdir -p /www; cp /etc/said /www/index.html; httpd -p 8080 -h /www; sleep 100000 & wait"]
    scale: { replica: 1 }
    files: { /etc/said: ./said }
    strategy: ${strategy}
    ports: ${JSON.stringify(ports)}
`;
}

test(
  "a service that publishes itself becomes a canary: the plan warns of the gap, and the old release goes on behind the gateway until the end",
  options,
  async () => {
    await using truth = await Truth.create((port) => service(port, "recreate"));
    const { project } = truth;
    await project.write({ said: "one" });
    assert.doesNotMatch(await project.ok("deploy", "--yes"), gap);
    assert.equal(await truth.ask(truth.port), "one");
    assert.deepEqual([...(await truth.containers()).keys()], ["web"]);

    await project.write({ said: "two" });
    await truth.declare(service(truth.port, '{ type: canary, steps: ["50%"], pause: manual }'));
    assert.match(await project.expect(4, ["deploy", "--yes"]), gap);
    const said = await Promise.all(Array.from({ length: 40 }, () => truth.ask(truth.port)));
    assert.deepEqual([...new Set(said)].sort(), ["one", "two"], "both releases have their share");

    assert.doesNotMatch(await project.ok("abort", "--yes"), gap);
    assert.equal(await truth.ask(truth.port), "one");
    // The file wants another release; what goes now has its gateway.
    assert.doesNotMatch(await project.expect(4, ["deploy", "--yes"]), gap);
    await project.ok("promote", "--yes");
    assert.equal(await truth.ask(truth.port), "two");
    await project.ok("plan", "--exit-code", "--refresh");
    assert.deepEqual([...(await truth.containers()).keys()], ["web", "web-gateway"]);
  },
);

test("a service that fails as it leaves direct publishing goes on with what served", options, async () => {
  await using truth = await Truth.create((port) => service(port, "recreate"));
  const { project } = truth;
  const serves = async (...names: string[]): Promise<void> => {
    assert.equal(await truth.ask(truth.port), "one");
    assert.deepEqual([...(await truth.containers()).keys()], names);
    await truth.declare(service(truth.port, "recreate"));
    await project.ok("plan", "--exit-code", "--refresh");
  };
  await project.write({ said: "one" });
  await project.ok("deploy", "--yes");
  // It never answers: nothing was given up for it.
  await truth.declare(service(truth.port, "rolling").replace("httpd -p 8080", "httpd -p 8081"));
  await project.expect(3, ["deploy", "--yes"]);
  await serves("web");
  // It ends once it has got the traffic: what served goes on behind the gateway, and is called as ever.
  await truth.declare(service(truth.port, "rolling").replace("sleep 100000 & wait", "sleep 4"));
  await project.expect(3, ["deploy", "--yes"]);
  await serves("web", "web-gateway");
});

test("a gateway goes where a port is UDP from now on, and the container has its ports itself", options, async () => {
  await using truth = await Truth.create((port) => service(port, "rolling"));
  const { project } = truth;
  await project.write({ said: "one" });
  await project.ok("deploy", "--yes");
  assert.deepEqual([...(await truth.containers()).keys()], ["web", "web-gateway"]);
  const ports = [`127.0.0.1:${truth.port}:8080`, `127.0.0.1:${truth.soloPort}:9000/udp`];
  await truth.declare(service(truth.port, "recreate", ports));
  assert.match(await project.ok("deploy", "--yes"), gap);
  assert.equal(await truth.ask(truth.port), "one");
  assert.deepEqual([...(await truth.containers()).keys()], ["web"]);
  const { HostConfig } = await truth.inspect("web");
  assert.deepEqual(HostConfig.PortBindings["9000/udp"], [{ HostIp: "127.0.0.1", HostPort: String(truth.soloPort) }]);
  await project.ok("plan", "--exit-code", "--refresh");
});
