import { buffer } from "node:stream/consumers";
import { segment, type EngineClient } from "@ctrlplane/images";

/** The last 20 lines that a container printed. */
export async function lastLines(engine: EngineClient, id: string, signal: AbortSignal): Promise<readonly string[]> {
  const query = { stdout: true, stderr: true, tail: "20" };
  const path = `/containers/${segment(id)}/logs`;
  const bytes = await buffer(await engine.stream({ method: "GET", path, query, signal }));
  const lines: string[] = [];
  // Frames of 8 bytes and a line.
  for (let at = 0; at + 8 <= bytes.length; at += 8 + bytes.readUInt32BE(at + 4))
    lines.push(bytes.toString("utf8", at + 8, at + 8 + bytes.readUInt32BE(at + 4)).trimEnd());
  return lines.slice(-20);
}
