/** A process that makes a key: `make-key.ts HOME`. Prints it. */
import { loadKey } from "../key.ts";

const [home = ""] = process.argv.slice(2);
process.stdout.write(loadKey({ env: {}, home, create: true })?.toString("hex") ?? "none");
