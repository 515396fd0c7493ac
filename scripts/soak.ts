// `npm run soak [-- level… part of a file name…]`: the tests with the full counts of load and faults. Hours, not minutes.
// The summary says how many of each were tried; the same as JSON in node_modules/.cache/ctrlplane/tests.json (`files[].measured`).
process.env.SOAK = "1";
await import("./test.ts");
