import { imageGroup, type EngineClient, type ImageGroup } from "@ctrlplane/images";

/**
 * Engines in this process by the lineage of the stacks that they were asked about: those of one stack give images to each other. The
 * lineage is what keeps stacks apart that others own, since an engine could claim any content for what it has.
 */
const groups = new Map<string, ImageGroup>();

/** The group of a stack's engines, `engine` among them until it leaves. */
export function joinImageGroup(lineage: string, engine: EngineClient): ImageGroup {
  const group = groups.get(lineage) ?? imageGroup();
  groups.set(lineage, group);
  group.engines.add(engine);
  return group;
}

/** Nobody takes images from it any more: it is being closed. */
export function leaveImageGroups(engine: EngineClient): void {
  for (const [lineage, group] of groups) {
    group.leave(engine);
    if (group.engines.size === 0) groups.delete(lineage);
  }
}
