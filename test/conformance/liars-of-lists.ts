import type { InstancePage, ObservedInstance } from "@ctrlplane/core/provider";
import type { Liar } from "./liar.ts";

/** Lies about what there is. */
export const liarsOfLists: readonly Liar[] = [
  {
    name: "list drops the second page",
    lie: (honest) => ({
      list: (selector, context) =>
        selector.cursor === undefined ? honest.list(selector, context) : Promise.resolve({ instances: [] }),
    }),
    caughtBy: ["list.pages-lose-nothing"],
  },
  {
    name: "list has no pages",
    lie: (honest) => ({ list: ({ limit: _, ...selector }, context) => honest.list(selector, context) }),
    caughtBy: ["list.a-page-is-no-larger"],
  },
  {
    name: "list gives one of another stack too",
    lie: (honest) => ({
      async list(selector, context) {
        const page = await honest.list(selector, context);
        if (page.cursor !== undefined) return page;
        return { instances: [another(selector.stack ?? "other"), ...page.instances] };
      },
    }),
    caughtBy: [
      "identity.list-tells-labels-as-they-are",
      "ownership.a-named-one-is-listed-whosever",
      "lifecycle.deprovision-leaves-nothing",
      "lifecycle.stop-ends-every-replica",
      "list.knows-every-instance",
      "list.pages-lose-nothing",
      "list.the-last-page-has-no-cursor",
      "list.an-unknown-stack-is-empty",
      "list.says-what-status-says",
      "list.names-stack-and-service",
      "list.tells-the-image-that-runs",
      "list.sees-what-was-done-by-hand",
      "ledger.records-are-no-instances",
      "volumes.list-tells-what-a-removal-left",
    ],
  },
  {
    name: "list ignores names",
    lie: (honest) => ({ list: ({ names: _, ...selector }, context) => honest.list(selector, context) }),
    caughtBy: ["ownership.a-named-one-is-listed-whosever"],
  },
  {
    name: "list observes what it did not see",
    lie: (honest) => ({
      async list(selector, context) {
        const page = await honest.list(selector, context);
        const instances = page.instances.map((each) => ({
          ...each,
          observedFields: [...each.observedFields, "scale.memory"],
        }));
        return { ...page, instances };
      },
    }),
    caughtBy: ["list.says-what-status-says", "list.fields-are-those-it-could-see"],
  },
  {
    name: "list finds nothing on a platform that is away",
    lie: (honest) => ({ list: (selector, context) => honest.list(selector, context).catch(() => ({ instances: [] })) }),
    caughtBy: ["errors.list-says-that-it-is-not-there"],
  },
  {
    name: "list keeps to its own stack",
    lie: (honest) => ({
      list: (selector, context) => honest.list({ stack: context.fence.stack, ...selector }, context),
    }),
    caughtBy: ["list.knows-other-stacks"],
  },
  {
    name: "list tells what it saw before",
    lie: (honest) => {
      const seen = new Map<string, InstancePage>();
      return {
        async list(selector, context) {
          const key = JSON.stringify(selector);
          const page = seen.get(key) ?? (await honest.list(selector, context));
          seen.set(key, page);
          return page;
        },
      };
    },
    caughtBy: ["list.observed-ports-are-the-real-ones", "volumes.list-tells-what-a-removal-left"],
  },
  {
    name: "a page of none has another after it",
    lie: (honest) => ({
      list: (selector, context) =>
        selector.limit === 0 ? Promise.resolve({ instances: [], cursor: "0" }) : honest.list(selector, context),
    }),
    caughtBy: ["list.no-limit-is-no-page"],
  },
  {
    name: "list tidies up",
    lie: (honest) => ({
      async list(selector, context) {
        const page = await honest.list(selector, context);
        const { stack } = context.fence;
        const left = { stack, service: "left", name: `${stack}-left`, id: "inst_left", lineage: "lin_left" };
        const instance = { ...left, provider: "reference", platformId: "" };
        await honest.deprovision({ instance, volumes: false }, context);
        return page;
      },
    }),
    caughtBy: ["list.writes-nothing"],
  },
];

function another(stack: string): ObservedInstance {
  const name = `${stack}-of-another`;
  const none = { labels: {}, revisions: [], addresses: [], volumes: [], observedFields: [], fields: {} };
  return { ...none, name, stack: `${stack}x`, service: "of-another", state: "down", stopped: false, restarts: 0 };
}
