/** Whether the full counts of load and faults are asked for: `SOAK=1 npm test -- e2e`. Otherwise a part of them runs. */
export const isSoak = process.env["SOAK"] === "1";
