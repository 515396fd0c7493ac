import type { ErrorMessage } from "../engine/messages.ts";

/** How far an image is on its way, over all of its layers. */
export interface TransferProgress {
  /** Layers that are there, those that were there before included. */
  readonly done: number;
  /** Layers that are known so far. */
  readonly layers: number;
  /** Bytes of those layers whose size is known, as they travel. */
  readonly bytes: number;
  readonly totalBytes: number;
}

/** One message of the answer to a pull or a push, as far as it is read. */
export interface TransferMessage extends ErrorMessage {
  readonly status?: string;
  /** The layer that it is about. */
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly aux?: { readonly Digest?: string };
}

const ofALayer =
  /^(Pulling fs layer|Waiting|Preparing|Downloading|Extracting|Pushing|Verifying Checksum|Download complete)/;
const endOfALayer = /^(Pull complete|Already exists|Pushed|Layer already exists|Mounted from )/;

/** Sums up the messages of one transfer; undefined for one that is about no layer. */
export function transferCounter(): (message: TransferMessage) => TransferProgress | undefined {
  const layers = new Map<string, { bytes: number; total: number; isDone: boolean }>();
  return ({ id, status = "", progressDetail = {} }) => {
    const isEnd = endOfALayer.test(status);
    if (id === undefined || !(isEnd || ofALayer.test(status))) return undefined;
    const layer = layers.get(id) ?? { bytes: 0, total: 0, isDone: false };
    layers.set(id, layer);
    const { current, total } = progressDetail;
    // What is unpacked has come already; its counts begin anew.
    if (!status.startsWith("Extracting") && current !== undefined) {
      layer.total = Math.max(layer.total, total ?? 0, current);
      layer.bytes = current;
    }
    if (isEnd || status === "Download complete" || status.startsWith("Extracting")) layer.bytes = layer.total;
    layer.isDone ||= isEnd;
    const all = [...layers.values()];
    return {
      done: all.filter((each) => each.isDone).length,
      layers: all.length,
      bytes: all.reduce((sum, each) => sum + each.bytes, 0),
      totalBytes: all.reduce((sum, each) => sum + each.total, 0),
    };
  };
}
