// node instances.ts FOLDER: one service, deployed, asked and removed by its id, without a pctl.yaml.
import { homedir, hostname, userInfo } from "node:os";
import { resolve } from "node:path";
import { createControlPlane, createRedactor, fileStateStore, isCtrlPlaneError, lazySealer } from "@ctrlplane/core";
import { provider as local } from "@ctrlplane/provider-local";

const folder = resolve(process.argv[2] ?? ".");
const { env } = process;
const plane = createControlPlane({
  providers: { here: local.create({}, { name: "here", folder, env }) },
  defaultProvider: "here",
  store: fileStateStore(process.cwd()),
  sealer: lazySealer({ env, home: homedir() }),
  redactor: createRedactor(),
  cacheDir: resolve(".pctl"),
  actor: { user: userInfo().username, host: hostname(), pid: process.pid },
});
try {
  const service = { image: folder, command: ["node", "server.js"], ports: [{ containerPort: 3000 }] };
  // Each instance has a stack of its own; two calls with one key mean one instance.
  const run = await plane.instances.create({ tenant: "acme", service, idempotencyKey: "acme-web" });
  const created = await run.done; // the instance as it is then, also when its change failed
  console.log("created", created.change?.result?.outcome);

  for (const { id } of await plane.instances.list({ tenant: "acme" })) {
    const { status } = await plane.instances.get(id);
    console.log("is", status?.state, "with", status?.replicas.length, "replica");
    const destroyed = await (await plane.instances.destroy(id)).done;
    console.log("destroyed", destroyed.change?.result?.outcome);
    await plane.instances.get("inst_unknown").catch((error: unknown) => {
      if (isCtrlPlaneError(error)) console.log(error.code, error.message); // branch on code, never on the message
    });
  }
} finally {
  await plane.close();
}
