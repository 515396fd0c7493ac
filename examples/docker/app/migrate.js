// Applies what is new under migrations/, each file once and whole.
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "./postgres.js";

const folder = new URL("migrations/", import.meta.url);
const db = await connect();
await db.query("create table if not exists migrations (name text primary key)");
const done = new Set((await db.query("select name from migrations")).map(([name]) => name));
for (const name of readdirSync(folder).sort()) {
  if (done.has(name)) continue;
  await db.query("begin");
  await db.query(readFileSync(new URL(name, folder), "utf8"));
  await db.query("insert into migrations values ($1)", [name]);
  await db.query("commit");
  console.log(`applied ${name}`);
}
db.end();
