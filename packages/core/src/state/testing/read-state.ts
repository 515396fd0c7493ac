/** A process without root's rights that reads a state file: `read-state.ts FOLDER`. Prints what came of it. */
import { isCtrlPlaneError } from "../../errors/error.ts";
import { fileStateStore } from "../file-store.ts";

const [folder = ""] = process.argv.slice(2);
const nobody = 65534;
if (process.getuid?.() === 0) process.setuid?.(nobody);
try {
  process.stdout.write(`serial ${(await fileStateStore(folder).read("shop"))?.serial}`);
} catch (error) {
  if (!isCtrlPlaneError(error)) throw error;
  process.stdout.write(`${error.code} ${error.message}`);
}
