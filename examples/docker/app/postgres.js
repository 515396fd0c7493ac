// As much of PostgreSQL's protocol as this example needs, so that it installs nothing. In a project of your own: `npm install pg`.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as open } from "node:net";

/** A connection as DB_HOST, DB_NAME and DB_PASSWORD say; when it breaks, the process ends, and is started again. */
export async function connect({ DB_HOST, DB_NAME, DB_PASSWORD, DB_USER = "postgres" } = process.env) {
  const socket = open(5432, DB_HOST);
  await once(socket, "connect");
  const messages = readMessages(socket);
  socket.write(framed("", [int32(196608), cstring("user", DB_USER, "database", DB_NAME, "")]));
  await logIn(socket, messages, DB_PASSWORD);
  let last = Promise.resolve();

  /** Rows as lists of texts. One query after the other. */
  function query(text, values = []) {
    const result = last.then(() => run(socket, messages, text, values));
    last = result.catch(() => undefined);
    return result;
  }
  return { query, end: () => socket.end(framed("X")) };
}

async function run(socket, messages, text, values) {
  const parameters = values.map((value) => Buffer.from(String(value)));
  const bound = [int16(0), int16(values.length), ...parameters.flatMap((each) => [int32(each.length), each]), int16(0)];
  socket.write(
    Buffer.concat([
      framed("P", [cstring("", text), int16(0)]),
      framed("B", [cstring("", ""), ...bound]),
      framed("E", [cstring(""), int32(0)]),
      framed("S"),
    ]),
  );
  const rows = [];
  let failure;
  for await (const { type, body } of messages) {
    if (type === "D") rows.push(readRow(body));
    if (type === "E") failure = new Error(readError(body));
    if (type === "Z") break;
  }
  if (failure !== undefined) throw failure;
  return rows;
}

/** SCRAM-SHA-256, as RFC 5802 and 7677 have it; the server may also ask for nothing. */
async function logIn(socket, messages, password = "") {
  const nonce = randomBytes(18).toString("base64");
  const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
  for await (const { type, body } of messages) {
    if (type === "E") throw new Error(readError(body));
    if (type === "Z") return;
    if (type !== "R") continue;
    const kind = body.readInt32BE(0);
    if (kind === 10) {
      const first = Buffer.from(`n,,n=,r=${nonce}`);
      socket.write(framed("p", [cstring("SCRAM-SHA-256"), int32(first.length), first]));
    }
    if (kind === 11) {
      const challenge = body.toString("utf8", 4);
      const { r, s, i } = Object.fromEntries(challenge.split(",").map((each) => [each[0], each.slice(2)]));
      const salted = pbkdf2Sync(password, Buffer.from(s, "base64"), Number(i), 32, "sha256");
      const key = hmac(salted, "Client Key");
      const final = `c=biws,r=${r}`;
      const stored = createHash("sha256").update(key).digest();
      const signature = hmac(stored, `n=,r=${nonce},${challenge},${final}`);
      const proof = Buffer.from(key.map((byte, index) => byte ^ signature[index])).toString("base64");
      socket.write(framed("p", [Buffer.from(`${final},p=${proof}`)]));
    }
  }
}

/** What the server sends, one message after the other; the loop that stops reading goes on at the next. */
function readMessages(socket) {
  const chunks = socket[Symbol.asyncIterator]();
  let buffer = Buffer.alloc(0);
  async function next() {
    while (buffer.length < 5 || buffer.length < buffer.readInt32BE(1) + 1) {
      const { value, done } = await chunks.next();
      if (done) {
        console.error("the database closed the connection");
        process.exit(1);
      }
      buffer = Buffer.concat([buffer, value]);
    }
    const end = buffer.readInt32BE(1) + 1;
    const value = { type: String.fromCharCode(buffer[0]), body: buffer.subarray(5, end) };
    buffer = buffer.subarray(end);
    return { value, done: false };
  }
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

function readRow(body) {
  const row = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const length = body.readInt32BE(at);
    row.push(length < 0 ? null : body.toString("utf8", at + 4, at + 4 + length));
    at += 4 + Math.max(0, length);
  }
  return row;
}

function readError(body) {
  const fields = body.toString("utf8").split("\0");
  return fields.find((each) => each.startsWith("M"))?.slice(1) ?? "the database refused";
}

const int16 = (value) => Buffer.from([value >> 8, value & 255]);
const int32 = (value) => Buffer.concat([int16(value >>> 16), int16(value & 0xffff)]);
const cstring = (...texts) => Buffer.from(texts.map((each) => `${each}\0`).join(""));

function framed(type, parts = []) {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}
