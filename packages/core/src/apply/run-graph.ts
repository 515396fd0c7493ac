import pLimit from "p-limit";

/** A node of a graph of work. */
export interface GraphNode {
  readonly key: string;
  /** Keys whose success this waits for. Keys that are no nodes are ignored. */
  readonly after: readonly string[];
  /** Nodes of one group share a limit. */
  readonly group: string;
  /** Nodes of one name are decided together, once all of them have ended; others wait for that, they among themselves do not. */
  readonly together?: string;
}

/** What a node came to; `blocks` keeps what waits for it from being begun. */
export interface NodeOutcome {
  readonly blocks: boolean;
}

/**
 * Runs every node once its predecessors have ended: independent ones in parallel, at most `limit` of a group at a time. A node
 * with a blocking predecessor is given to `skip` with that one's key. `decide` gives nodes that are `together` their last outcomes, in their order. No callback may reject.
 */
export async function runGraph<N extends GraphNode, O extends NodeOutcome>(
  nodes: readonly N[],
  limit: number,
  run: (node: N) => Promise<O>,
  skip: (node: N, because: string) => O,
  decide?: (ended: readonly { readonly node: N; readonly outcome: O }[]) => Promise<readonly O[]>,
): Promise<O[]> {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const limits = new Map<string, ReturnType<typeof pLimit>>();
  const started = new Map<string, Promise<O>>();
  const limitOf = (group: string): ReturnType<typeof pLimit> => {
    const known = limits.get(group) ?? pLimit(limit);
    limits.set(group, known);
    return known;
  };
  const decided = new Map<string, Promise<ReadonlyMap<string, O>>>();
  const decideAll = async (name: string): Promise<ReadonlyMap<string, O>> => {
    const members = nodes.filter((node) => node.together === name);
    const ended = await Promise.all(members.map(async (node) => ({ node, outcome: await start(node) })));
    const last = (await decide?.(ended)) ?? [];
    return new Map(ended.map(({ node, outcome }, index) => [node.key, last[index] ?? outcome]));
  };
  const end = async (node: N): Promise<O> => {
    const ended = await start(node);
    if (node.together === undefined || decide === undefined) return ended;
    const all = decided.get(node.together) ?? decideAll(node.together);
    decided.set(node.together, all);
    return (await all).get(node.key) ?? ended;
  };
  const start = (node: N): Promise<O> => {
    const known = started.get(node.key);
    if (known !== undefined) return known;
    const begun = begin(node);
    started.set(node.key, begun);
    return begun;
  };
  const begin = async (node: N): Promise<O> => {
    for (const key of node.after) {
      const before = byKey.get(key);
      if (before === undefined) continue;
      const isPeer = node.together !== undefined && before.together === node.together;
      if ((await (isPeer ? start(before) : end(before))).blocks) return skip(node, key);
    }
    return limitOf(node.group)(() => run(node));
  };
  return Promise.all(nodes.map(end));
}
