import { memoryStateStore } from "./memory-store.ts";
import { stateStoreBehaviours } from "./testing/state-store-behaviours.ts";

stateStoreBehaviours("memoryStateStore", async () => {
  const store = memoryStateStore();
  return { one: store, other: store, end: async () => undefined };
});
