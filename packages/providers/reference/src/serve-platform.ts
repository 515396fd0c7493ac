import { once } from "node:events";
import { newId } from "@ctrlplane/core/provider";
import { emptyPlatform, platformOf } from "./platform/platform.ts";
import { createPlatformServer } from "./platform/server.ts";
import type { PlatformState } from "./protocol.ts";

export interface ServedPlatform {
  readonly socket: string;
  /** What is on it now; live. */
  readonly state: PlatformState;
  stop(): Promise<void>;
}

/** A platform in this process, without a folder: for tests that need hundreds of them. `from`: a copy of what one held before. */
export async function servePlatform(socket: string, from?: PlatformState): Promise<ServedPlatform> {
  const platform = from === undefined ? emptyPlatform(`reference_${newId("lin").slice(4)}`) : platformOf(from);
  const server = createPlatformServer(platform, () => undefined);
  server.listen(socket);
  await once(server, "listening");
  return {
    socket,
    state: platform.state,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, "close");
    },
  };
}
