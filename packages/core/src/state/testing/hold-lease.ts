/** A process that takes a lease and keeps it until it is killed: `hold-lease.ts FOLDER`. Prints `held by PID`. */
import { fileLedger } from "../file-ledger.ts";
import { acquireLease } from "../lease.ts";
import { currentHolder } from "../process-identity.ts";
import { systemClock } from "./clocks.ts";
import { testContext } from "./context.ts";

const [folder = ""] = process.argv.slice(2);
await acquireLease({
  ledger: fileLedger(folder),
  stack: "shop",
  holder: currentHolder({ command: "deploy", user: "ana" }),
  clock: systemClock,
  context: testContext(),
});
process.stdout.write(`held by ${process.pid}\n`);
