import { describeInstance } from "@ctrlplane/core/provider";
import type { InstancePage, ListSelector } from "@ctrlplane/core/provider";
import { observe } from "./describe.ts";
import { onlyIfReachable } from "./reachable.ts";
import { readInstances, readReplicas } from "./supervisor/read.ts";
import { readVolumes } from "./volumes.ts";

/**
 * `Provider.list` of `local`: from files alone, read once for a page. Without a stack every instance of the data folder; with
 * one its instances, and those that bear one of `names`. The cursor is the name of the last instance given.
 */
export async function listInstances(dir: string, selector: ListSelector): Promise<InstancePage> {
  const { stack, names = [], cursor = "", limit = 500 } = selector;
  const rest = readInstances(dir).filter(
    (each) => (stack === undefined || each.stack === stack || names.includes(each.name)) && each.name > cursor,
  );
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  if (last === undefined) return { instances: [] };
  const replicas = Map.groupBy(readReplicas(dir), (each) => each.record.instance);
  const volumes = readVolumes(dir);
  const seen = await Promise.all(
    page.map(async (record) => {
      const own = replicas.get(record.name) ?? [];
      return describeInstance(await observe(dir, record, own, volumes), own, record.route?.targets ?? {});
    }),
  );
  const instances = onlyIfReachable(dir, seen);
  return rest.length > page.length ? { instances, cursor: last.name } : { instances };
}
