import { once } from "node:events";
import { newId } from "@ctrlplane/core/provider";
import { emptyPlatform, platformOf } from "./platform/platform.ts";
import { createPlatformServer } from "./platform/server.ts";
import type { PlatformState } from "./protocol.ts";

export interface ServedPlatform {
  readonly socket: string;
  /** What is on it now; live. */
  readonly state: PlatformState;
  /** Tells those who wait that a test has changed `state`. */
  changed(): void;
  stop(): Promise<void>;
}

/** A platform in this process, without a folder: for tests that need hundreds of them. `from`: a copy of what one held before. */
export async function servePlatform(
  socket: string,
  { from, pace }: { readonly from?: PlatformState | undefined; readonly pace?: number } = {},
): Promise<ServedPlatform> {
  const id = `reference_${newId("lin").slice(4)}`;
  const platform = from === undefined ? emptyPlatform(id, pace) : platformOf(from, pace);
  const server = createPlatformServer(platform, () => undefined);
  server.listen(socket);
  await once(server, "listening");
  return {
    socket,
    state: platform.state,
    changed: () => void platform.news.emit("change"),
    stop: async () => {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, "close");
    },
  };
}
