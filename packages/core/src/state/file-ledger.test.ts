import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileLedger } from "./file-ledger.ts";
import { ledgerBehaviours } from "./testing/ledger-behaviours.ts";

ledgerBehaviours("fileLedger", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pctl-ledger-"));
  return {
    one: fileLedger(join(folder, "ledger")),
    other: fileLedger(join(folder, "ledger")),
    end: () => rm(folder, { recursive: true, force: true }),
  };
});
