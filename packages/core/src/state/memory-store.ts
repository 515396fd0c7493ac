import { checkSerial } from "./serial.ts";
import type { StateDocument, StateStore } from "./store.ts";

/** State documents that last as long as this object: for tests, and for programs that keep none. */
export function memoryStateStore(): StateStore {
  // As text, so that nobody shares an object with the store.
  const documents = new Map<string, string>();
  const read = (stack: string): StateDocument | undefined => {
    const text = documents.get(stack);
    // Written below from the same type.
    return text === undefined ? undefined : (JSON.parse(text) as StateDocument);
  };
  return {
    async read(stack) {
      return read(stack);
    },
    async write(stack, document, expectedSerial) {
      checkSerial(stack, read(stack)?.serial, expectedSerial, document.serial);
      documents.set(stack, JSON.stringify(document));
    },
    async setAside(stack) {
      return documents.delete(stack) ? "nowhere" : undefined;
    },
    async list() {
      return [...documents.keys()].sort((a, b) => (a < b ? -1 : 1));
    },
  };
}
