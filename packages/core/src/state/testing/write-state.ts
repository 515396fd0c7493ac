/** A process that counts up the serial of a state file: `write-state.ts FOLDER TIMES`. Prints `+` after each write. */
import { isCtrlPlaneError } from "../../errors/error.ts";
import { fileStateStore } from "../file-store.ts";
import { sampleDocument } from "./state-store-behaviours.ts";

const [folder = "", times = "0"] = process.argv.slice(2);
const store = fileStateStore(folder);
for (let done = 0; done < Number(times);) {
  const serial = (await store.read("shop"))?.serial;
  try {
    await store.write("shop", sampleDocument((serial ?? 0) + 1), serial);
    done += 1;
    process.stdout.write("+");
  } catch (error) {
    if (!isCtrlPlaneError(error) || error.code !== "CONFLICT") throw error;
  }
}
