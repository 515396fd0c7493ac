import type { Labels } from "@ctrlplane/core/provider";
import { EngineError, type EngineClient, type EngineRequest } from "@ctrlplane/images";
import { VolumeRecords } from "./volume-records.ts";

/** The volumes of an engine: creating one whose name exists gives the one that is there, and labels never change. */
export class Volumes {
  readonly all = new Map<string, Labels | null>();
  /** Called before each request. */
  before: (request: EngineRequest) => Promise<void> = () => Promise.resolve();

  readonly engine: Pick<EngineClient, "json"> = {
    json: async <T>(request: EngineRequest): Promise<T> => {
      await this.before(request);
      return this.#answer(request) as T;
    },
  };

  #answer({ method, path, body, query }: EngineRequest): unknown {
    if (method === "POST") {
      const { Name, Labels } = body as { Name: string; Labels: Labels };
      if (!this.all.has(Name)) this.all.set(Name, Labels);
      return { Name, Labels: this.all.get(Name) };
    }
    if (method === "DELETE") {
      if (!this.all.delete(decodeURIComponent(path.slice("/volumes/".length))))
        throw new EngineError(404, "no such volume");
      return undefined;
    }
    if (path !== "/volumes") {
      const name = decodeURIComponent(path.slice("/volumes/".length));
      if (!this.all.has(name)) throw new EngineError(404, "no such volume");
      return { Name: name, Labels: this.all.get(name) };
    }
    // As `labelled` makes them.
    const { label } = (query ?? {})["filters"] as { label: readonly string[] };
    const found = [...this.all].filter(([, labels]) =>
      label.every((each) => labels?.[each.slice(0, each.indexOf("="))] === each.slice(each.indexOf("=") + 1)),
    );
    return { Volumes: found.map(([Name, Labels]) => ({ Name, Labels })) };
  }
}

/** As a process that knows nothing of them yet. */
export function recordsOf(volumes: Volumes): VolumeRecords {
  return new VolumeRecords(volumes.engine as EngineClient, "ledger");
}
