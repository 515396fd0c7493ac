import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, test, type TestContext } from "node:test";
import { connectEngine, type EngineClient, type TcpEndpoint } from "@ctrlplane/images";
import { isCtrlPlaneError } from "@ctrlplane/core/provider";
import type { DockerHost } from "../engines/hosts.ts";
import { refusal, requireHosts, skip } from "./reach.support.ts";

const folder = "/tmp/ctrlplane-tls";
const port = 2376;

/** An authority, a certificate of it for the engine and one for a client; a second authority with a client's of its own. */
const makeCertificates = `set -e
mkdir -p "$1" && cd "$1"
for authority in ca other; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$authority" -keyout $authority-key.pem -out $authority.pem
done
sign() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout $1-key.pem -out $1.csr
  printf '%s\\n' "$3" > $1.ext
  openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2-key.pem -CAcreateserial -days 2 -extfile $1.ext -out $1.pem
}
sign server ca "subjectAltName=IP:$2"
sign client ca "extendedKeyUsage=clientAuth"
sign stranger other "extendedKeyUsage=clientAuth"`;

/** A second engine on the host, with a data folder and a bridge of its own: one without any removes that of the first. */
const startEngine = `setsid dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" --bridge tls0 --iptables=false \\
  -H "unix://$1/docker.sock" -H "tcp://0.0.0.0:$2" --tlsverify --tlscacert "$1/ca.pem" --tlscert "$1/server.pem" --tlskey "$1/server-key.pem" \\
  > "$1/log" 2>&1 < /dev/null &`;

const stopEngine = `test ! -f "$1/pid" || { kill $(cat "$1/pid"); while test -f "$1/pid"; do sleep 0.1; done; }; rm -rf "$1"`;

describe("an engine on TCP with certificates", { skip }, () => {
  const [, host] = skip === false ? requireHosts() : [];
  if (host === undefined) return;

  test("only with the right ones on both sides, and each refusal says which", async (t) => {
    const inHost = (...words: readonly string[]): void =>
      void execFileSync("nsenter", ["--target", String(host.pid), "--net", "ip", ...words]);
    inHost("link", "add", "tls0", "type", "bridge");
    t.after(() => inHost("link", "delete", "tls0"));
    inHost("address", "add", "172.29.250.1/24", "dev", "tls0");
    inHost("link", "set", "tls0", "up");
    t.after(() => host.run("sh", ["-c", stopEngine, "sh", folder]));
    host.run("sh", ["-c", makeCertificates, "sh", folder, host.address]);
    host.run("sh", ["-c", startEngine, "sh", folder, String(port)]);
    const pem = (name: string): string => host.run("cat", [`${folder}/${name}.pem`]);
    const tls = { ca: pem("ca"), cert: pem("client"), key: pem("client-key") };
    const { api } = await answered(t, host, tls);
    assert.equal(api, "1.45");

    const refused = async (other: TcpEndpoint["tls"], words: RegExp): Promise<void> => {
      await assert.rejects(clientOf(t, host, other).version(), refusal("UNAUTHORIZED", words, false));
    };
    await refused({ ...tls, ca: pem("other") }, /certificate of tcp.* is not accepted/);
    await refused({ ca: tls.ca }, /does not accept our certificate/);
    await refused({ ca: tls.ca, cert: pem("stranger"), key: pem("stranger-key") }, /does not accept our certificate/);
    await assert.rejects(clientOf(t, host, undefined).version(), /HTTPS/);
  });
});

function clientOf(t: TestContext, host: DockerHost, tls: TcpEndpoint["tls"]): EngineClient {
  const engine = connectEngine({ kind: "tcp", host: host.address, port, ...(tls === undefined ? {} : { tls }) });
  t.after(() => engine.close());
  return engine;
}

/** Once it has come up. */
async function answered(t: TestContext, host: DockerHost, tls: TcpEndpoint["tls"]) {
  const engine = clientOf(t, host, tls);
  for (const until = performance.now() + 30_000; ; await sleep(100)) {
    try {
      return await engine.version();
    } catch (error) {
      if (performance.now() > until || !isCtrlPlaneError(error) || error.code !== "UNAVAILABLE") throw error;
    }
  }
}
