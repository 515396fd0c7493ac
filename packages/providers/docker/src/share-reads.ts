import type { EngineClient, EngineRequest } from "@ctrlplane/images";
import { isWithin, labelsWanted, withLabels, type VolumeList } from "./volume-list.ts";

interface Waiter {
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/** One request to the engine, and all that its answer is for. */
interface Shared {
  readonly request: EngineRequest;
  readonly waiters: Waiter[];
}

/**
 * The same engine; what is read in one turn of the event loop is asked once where the words are equal, and one list of volumes serves
 * for a narrower one. Nothing is kept: each answer is younger than every question that it is given to.
 */
export function shareReads(engine: EngineClient): EngineClient {
  let turn: Map<string, Shared> | undefined;

  const send = ({ request, waiters }: Shared): void => {
    const [only, ...others] = waiters;
    if (only !== undefined && others.length === 0) {
      const { signal, resolve, reject } = only;
      engine.json({ ...request, ...(signal === undefined ? {} : { signal }) }).then(resolve, reject);
    } else sendForAll({ request, waiters });
  };
  const sendForAll = ({ request, waiters }: Shared): void => {
    const over = new AbortController();
    const answered = new AbortController();
    let waiting = waiters.length;
    for (const { signal, reject } of waiters) {
      const leave = (): void => {
        reject(signal?.reason);
        waiting -= 1;
        if (waiting === 0) over.abort(signal?.reason);
      };
      if (signal?.aborted === true) leave();
      else signal?.addEventListener("abort", leave, { signal: answered.signal, once: true });
    }
    if (over.signal.aborted) return;
    engine
      .json({ ...request, signal: over.signal })
      .then(
        (answer) => waiters.forEach((each) => each.resolve(answer)),
        (error: unknown) => waiters.forEach((each) => each.reject(error)),
      )
      // Nobody can give it up any more.
      .finally(() => answered.abort("answered"));
  };
  const sendAll = (): void => {
    const asked = [...(turn?.values() ?? [])];
    turn = undefined;
    for (const each of mergeVolumeLists(asked)) send(each);
  };
  const share = (request: EngineRequest): Promise<unknown> => {
    if (turn === undefined) {
      turn = new Map();
      // After all that goes on by promises alone.
      setImmediate(sendAll);
    }
    const { signal, ...words } = request;
    const key = JSON.stringify(words);
    const shared: Shared = turn.get(key) ?? { request: words, waiters: [] };
    turn.set(key, shared);
    return new Promise((resolve, reject) => shared.waiters.push({ signal, resolve, reject }));
  };

  return {
    ...engine,
    json: <T>(request: EngineRequest) =>
      // As the engine's own client promises for this path.
      (isRead(request) ? share(request) : engine.json(request)) as Promise<T>,
  };
}

/** Its answer depends on its words alone, and comes at once. */
function isRead({ method, path, query, headers }: EngineRequest): boolean {
  const isList = /^\/(containers\/json|volumes|networks)$/.test(path);
  const isOne = /^\/(containers|volumes|images)\/[^/]+(\/json)?$/.test(path);
  return method === "GET" && headers === undefined && query?.["follow"] === undefined && (isList || isOne);
}

/** A list of volumes that is asked for anyway answers the narrower ones. */
function mergeVolumeLists(asked: readonly Shared[]): readonly Shared[] {
  const lists = asked.flatMap((shared) => {
    const labels = labelsWanted(shared.request);
    return labels === undefined ? [] : [{ shared, labels }];
  });
  const isNarrower = (one: readonly string[], other: readonly string[]): boolean =>
    isWithin(one, other) && !isWithin(other, one);
  const widest = lists.filter(({ labels }) => !lists.some((other) => isNarrower(labels, other.labels)));
  const merged = new Set<Shared>();
  for (const { shared, labels } of lists) {
    const wider = widest.find((other) => isNarrower(labels, other.labels));
    if (wider === undefined) continue;
    merged.add(shared);
    for (const { signal, resolve, reject } of shared.waiters)
      // The wider one's answer is a list of volumes, too.
      wider.shared.waiters.push({ signal, reject, resolve: (all) => resolve(withLabels(all as VolumeList, labels)) });
  }
  return asked.filter((each) => !merged.has(each));
}
