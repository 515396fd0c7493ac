/** Of all tests and suites that run side by side. */
export { freePort } from "../packages/conformance/src/free-port.ts";
