/** A process that increments a counter in a file ledger: `hammer.ts FOLDER TIMES`. Prints `ready` first. */
import { isCtrlPlaneError } from "../../errors/error.ts";
import { fileLedger } from "../file-ledger.ts";
import { testContext } from "./context.ts";

const [folder = "", times = "0"] = process.argv.slice(2);
const ledger = fileLedger(folder);
const context = testContext();
process.stdout.write("ready\n");
for (let done = 0; done < Number(times);) {
  const record = await ledger.read("counter", context);
  if (record === undefined) throw new Error("the counter is gone");
  try {
    await ledger.swap("counter", String(Number(record.value) + 1), record.version, context);
    done += 1;
    process.stdout.write("+");
  } catch (error) {
    if (!isCtrlPlaneError(error) || error.code !== "CONFLICT") throw error;
  }
}
