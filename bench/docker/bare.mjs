// What the benches of docker compare with: a client of the Engine API that does what is needed and nothing else.
// `node bare.mjs WORK`, where WORK is JSON: { socket, ssh?, image, network, name, firstPort, services, parallel, host? }. With `replace` it
// replaces that one service instead of making all. It prints the number of its calls.
import { spawn } from "node:child_process";
import { Agent, request } from "node:http";
import { connect } from "node:net";

const work = JSON.parse(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: 32 });
let calls = 0;
const tunnel = work.ssh === undefined ? undefined : await openTunnel();
const waiting = Array.from({ length: work.services }, (_, index) => index);
if (work.replace === undefined) {
  await call("POST", "/networks/create", { Name: work.network, CheckDuplicate: true, Labels: work.labels });
  await Promise.all(Array.from({ length: work.parallel }, take));
} else await replace(work.replace);
process.stdout.write(`${calls}\n`);
agent.destroy();
tunnel?.kill();

async function take() {
  for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) await make(index);
}

async function replace(index) {
  const name = `${work.name}-${index}`;
  await call("POST", `/containers/${name}/stop`);
  await call("DELETE", `/containers/${name}?force=true&v=true`);
  await make(index);
}

async function make(index) {
  const port = work.firstPort + index;
  const { Id } = await call("POST", `/containers/create?name=${work.name}-${index}`, {
    Image: work.image,
    Cmd: work.command,
    Env: work.env,
    Labels: work.labels,
    StopSignal: "SIGKILL",
    ExposedPorts: { "8080/tcp": {} },
    HostConfig: {
      PortBindings: { "8080/tcp": [{ HostIp: work.host === undefined ? "127.0.0.1" : "", HostPort: String(port) }] },
      RestartPolicy: { Name: "unless-stopped" },
      LogConfig: { Type: "json-file", Config: { "max-size": "20m", "max-file": "5" } },
    },
    NetworkingConfig: { EndpointsConfig: { [work.network]: { Aliases: [`s${index}`] } } },
  });
  await call("POST", `/containers/${Id}/start`);
  // On this machine an engine's proxy takes connections for a port that nobody listens at: the container itself is asked.
  const target = work.host === undefined ? { host: await addressOf(Id), port: 8080 } : { host: work.host, port };
  while (!(await isOpen(target))) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function addressOf(id) {
  const { NetworkSettings } = await call("GET", `/containers/${id}/json`);
  return NetworkSettings.Networks[work.network].IPAddress;
}

function call(method, path, body) {
  calls += 1;
  return new Promise((resolve, reject) => {
    const headers = { Host: "docker", ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
    const sent = request({ socketPath: work.socket, agent, method, path: `/v1.41${path}`, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.on("end", () => {
        if (response.statusCode < 400) resolve(text === "" ? undefined : JSON.parse(text));
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
      });
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function isOpen(target) {
  return new Promise((resolve) => {
    const socket = connect(target);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** The host's socket as one on this machine, by one connection of `ssh`. */
async function openTunnel() {
  const child = spawn("ssh", ["-N", "-L", `${work.socket}:/var/run/docker.sock`, ...work.ssh], { stdio: "inherit" });
  const isThere = () => isOpen({ path: work.socket });
  while (child.exitCode === null && !(await isThere())) await new Promise((resolve) => setTimeout(resolve, 5));
  return child;
}
