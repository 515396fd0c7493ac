import { contextOf, deployOf, release } from "./deploy.test.support.ts";
import { createReferenceProvider } from "./provider.ts";

// A process of its own that deploys release 2 over release 1, to be killed on the way: `node THIS SOCKET`.
const [, , socket] = process.argv;
if (socket === undefined) throw new Error("usage: deploy-once SOCKET");
await createReferenceProvider({ socket }).deploy(
  deployOf(release(2, "ok#2"), { previous: release(1, "ok") }),
  contextOf(),
);
