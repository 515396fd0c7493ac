/** As much of Protocol Buffers as BuildKit's messages need: fields of varints and of bytes. */

export interface Field {
  readonly number: number;
  /** Of a varint; 0 else. */
  readonly integer: number;
  /** Of a string, bytes or message; empty else. */
  readonly bytes: Buffer;
}

/** The fields of a message in their order. Throws `RangeError` where it is cut off. */
export function readFields(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < message.length;) {
    const key = readVarint(message, at);
    at = key.end;
    const [number, type] = [Math.floor(key.value / 8), key.value % 8];
    if (type === 0) {
      const { value, end } = readVarint(message, at);
      fields.push({ number, integer: value, bytes: Buffer.alloc(0) });
      at = end;
    } else if (type === 2) {
      const { value, end } = readVarint(message, at);
      if (end + value > message.length) throw new RangeError("the message is cut off");
      fields.push({ number, integer: 0, bytes: message.subarray(end, end + value) });
      at = end + value;
    } else if (type === 1 || type === 5) at += type === 1 ? 8 : 4;
    else throw new RangeError(`no field has the type ${type}`);
  }
  return fields;
}

/** The text of the first field of that number; empty without one. */
export function textOf(fields: readonly Field[], number: number): string {
  return fields.find((each) => each.number === number)?.bytes.toString() ?? "";
}

/** A field of a varint: an unsigned whole number, at most 2^53. */
export function integerField(number: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([varint(number * 8), varint(value)]);
}

/** The same for what a number does not hold exactly. */
export function wideField(number: number, value: bigint): Buffer {
  if (value === 0n) return Buffer.alloc(0);
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128n; rest /= 128n) bytes.push(Number(rest % 128n) + 128);
  return Buffer.concat([varint(number * 8), Buffer.from([...bytes, Number(rest)])]);
}

export function bytesField(number: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function readVarint(message: Buffer, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let factor = 1;
  for (let at = start; at < message.length; at++) {
    const byte = message[at] ?? 0;
    // Above 2^53 it is not exact; no field that is read here is that large.
    value += (byte % 128) * factor;
    factor *= 128;
    if (byte < 128) return { value, end: at + 1 };
  }
  throw new RangeError("the message is cut off");
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
