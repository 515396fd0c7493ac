import { fileURLToPath } from "node:url";

// At the root of `src`, as its copy is at the root of `dist`: the paths below hold in both.
const isSource = import.meta.url.endsWith(".ts");
const fileOf = (name: string): string => fileURLToPath(new URL(`${name}.${isSource ? "ts" : "js"}`, import.meta.url));

/** Files that run as processes of their own. */
export const shimFile = fileOf("shim");
export const supervisorFile = fileOf("supervisor/main");
export const gatewayFile = fileOf("gateway/main");

/** What Node needs to run supervisor and gateway. */
export const programFlags = isSource ? ["--conditions=source"] : [];

/** The folder of all code of this package. */
export const codeFolder = fileURLToPath(new URL(".", import.meta.url));
