// node deploy.ts [pctl.yaml]: deploys a declaration from a program, as `pctl deploy` does.
import { homedir, hostname, userInfo } from "node:os";
import { resolve } from "node:path";
import { createControlPlane, createRedactor, fileStateStore, lazySealer, loadStack } from "@ctrlplane/core";
import { provider as local } from "@ctrlplane/provider-local";

const cwd = process.cwd();
const { env } = process;
const redactor = createRedactor(); // learns secret values while the file is read, and masks them everywhere
const plane = createControlPlane({
  providers: { local: local.create({}, { name: "local", folder: cwd, env }) },
  defaultProvider: "local",
  store: fileStateStore(cwd), // pctl.{stack}.json, here; without it: in memory
  sealer: lazySealer({ env, home: homedir() }), // PCTL_KEY, else ~/.config/pctl/key
  redactor,
  cacheDir: resolve(".pctl"),
  actor: { user: userInfo().username, host: hostname(), pid: process.pid },
});
try {
  const file = process.argv[2] ?? "pctl.yaml";
  const read = await loadStack(file, { cwd, env, redactor, purpose: "deploy", providerTypes: [{ type: "local" }] });
  for (const { severity, summary, hint } of read.diagnostics) console.error(severity, summary, hint);
  if (read.stack !== undefined) {
    const run = await plane.stacks.deploy(read.stack, { message: "from a program" });
    for await (const event of run.events) console.log(event.type, event.message);
    const change = await run.done; // also when a service failed: its result says so
    console.log(change.result?.outcome, ...(change.result?.addresses ?? []));
  }
} finally {
  await plane.close(); // what was deployed goes on running
}
