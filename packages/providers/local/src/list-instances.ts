import { describeInstance } from "@ctrlplane/core/provider";
import type { InstancePage, ListSelector } from "@ctrlplane/core/provider";
import { observe } from "./describe.ts";
import { onlyIfReachable } from "./reachable.ts";
import { readInstances, readReplicas } from "./supervisor/read.ts";
import { remainsOf } from "./remains.ts";
import { readVolumes } from "./volumes.ts";

/**
 * `Provider.list` of `local`: from files alone, read once for a page. Without a stack every instance of the data folder; with
 * one its instances, and those that bear one of `names`. The cursor is the name of the last instance given.
 */
export async function listInstances(dir: string, selector: ListSelector): Promise<InstancePage> {
  const { stack, names = [], cursor = "", limit = 500 } = selector;
  const present = readInstances(dir);
  const rest = present.filter(
    (each) => (stack === undefined || each.stack === stack || names.includes(each.name)) && each.name > cursor,
  );
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const volumes = readVolumes(dir);
  const remains = cursor === "" ? remainsOf(stack, volumes, present) : [];
  const left = remains.length === 0 ? {} : { remains };
  if (last === undefined) return { instances: [], ...left };
  const replicas = Map.groupBy(readReplicas(dir), (each) => each.record.instance);
  const seen = await Promise.all(
    page.map(async (record) => {
      const own = replicas.get(record.name) ?? [];
      return describeInstance(await observe(dir, record, own, volumes), own, record.route?.targets ?? {});
    }),
  );
  const instances = onlyIfReachable(dir, seen);
  return { instances, ...left, ...(rest.length > page.length ? { cursor: last.name } : {}) };
}
