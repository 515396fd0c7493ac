// What lease and ledger cost: a deploy of a stack of one service, with nothing to do and with one change (`recreate`, so that no
// time goes into waiting for a replica to last), on the reference platform and on `local`, the control plane in this process.
// Counted and timed around the provider's ledger itself; calls that overlap count each with its own time. Medians.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Provider } from "@ctrlplane/core/provider";
import { provider as local } from "@ctrlplane/provider-local";
import { provider as reference, startReferencePlatform } from "@ctrlplane/provider-reference";
import { openLocalService } from "./local/service.ts";
import { watchLedger } from "./plane/watch-ledger.ts";
import { openPlane } from "./plane/open-plane.ts";
import { median, report, type Row } from "./report.ts";

const runs = process.env["QUICK"] === "1" ? 3 : 15;

interface Measured {
  readonly ms: number;
  readonly ledgerMs: number;
  readonly ledgerCalls: number;
  readonly otherCalls: number;
}

report(import.meta.filename, [...(await onReference()), ...(await onLocal())]);

async function onReference(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "pctl-bench-"));
  const platform = await startReferencePlatform({ folder: join(folder, "platform") });
  const { socket } = platform;
  const declare = (version: string): void =>
    writeFileSync(
      join(folder, "pctl.yaml"),
      `name: bench
provider: reference
services: { web: { image: "app:${version}", ports: [{ containerPort: 8080 }], health: { http: /up }, strategy: recreate } }
`,
    );
  try {
    const provider = reference.create({ socket }, { name: "reference", folder, env: {} });
    return await measureAll("reference", folder, provider, declare);
  } finally {
    await platform.stop();
    rmSync(folder, { recursive: true });
  }
}

async function onLocal(): Promise<Row[]> {
  await using service = await openLocalService(["strategy: recreate"]);
  const { folder, environment } = service;
  const provider = local.create({}, { name: "local", folder, env: environment });
  return await measureAll("local", folder, provider, (version) => service.change(version));
}

/** `declare` makes another version the declared one. */
async function measureAll(
  name: string,
  folder: string,
  provider: Provider,
  declare: (version: string) => void | Promise<void>,
): Promise<Row[]> {
  const ledger = watchLedger(provider);
  const calls: string[] = [];
  const { plane, deploy } = openPlane(folder, ledger.provider, { audit: (call) => calls.push(call) });
  const measure = async (): Promise<Measured> => {
    calls.length = 0;
    ledger.reset();
    const startedAt = performance.now();
    await deploy();
    const otherCalls = calls.filter((call) => !call.includes(".ledger.")).length;
    return { ms: performance.now() - startedAt, ...ledger.seen(), otherCalls };
  };
  try {
    // The first ones warm up, and are not counted.
    for (const version of ["a", "b"]) {
      await declare(version);
      await deploy();
    }
    const idle: Measured[] = [];
    const changed: Measured[] = [];
    for (let run = 1; run <= runs; run += 1) {
      idle.push(await measure());
      await declare(`v${run}`);
      changed.push(await measure());
    }
    return [...rowsOf(`${name}, nothing to do`, idle), ...rowsOf(`${name}, one change`, changed)];
  } finally {
    await plane.close();
  }
}

function rowsOf(name: string, measured: readonly Measured[]): Row[] {
  const of = (key: keyof Measured): number => median(measured.map((each) => each[key]));
  return [
    { name, value: of("ms"), unit: "ms" },
    { name: `${name}: of it lease and ledger`, value: of("ledgerMs"), unit: "ms" },
    { name: `${name}: calls of the ledger`, value: of("ledgerCalls"), unit: "calls" },
    { name: `${name}: other calls of the provider`, value: of("otherCalls"), unit: "calls" },
  ];
}
