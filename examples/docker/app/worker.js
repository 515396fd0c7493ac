import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "./postgres.js";

const db = await connect();
const ending = new AbortController();
process.on("SIGTERM", () => ending.abort());

// Several workers may run: each takes an order that no other one has.
const next = `
  update orders set shipped = now()
  where id = (select id from orders where shipped is null order by id limit 1 for update skip locked)
  returning id, item`;

while (!ending.signal.aborted) {
  const [order] = await db.query(next);
  if (order !== undefined) console.log(`shipped order ${order[0]}: ${order[1]}`);
  else await sleep(500, undefined, { signal: ending.signal }).catch(() => undefined);
}
db.end();
