import { CtrlPlaneError, isCtrlPlaneError } from "@ctrlplane/core/provider";
import type { Ledger, Provider } from "@ctrlplane/core/provider";
import type { Liar } from "./liar.ts";

/** Lies about records. */
export const liarsOfLedger: readonly Liar[] = [
  {
    name: "the ledger's create overwrites",
    lie: onLedger((ledger) => ({
      async create(name, value, context) {
        const found = await ledger.read(name, context);
        return found === undefined
          ? ledger.create(name, value, context)
          : ledger.swap(name, value, found.version, context);
      },
    })),
    caughtBy: ["ledger.a-name-is-made-once", "ledger.one-of-many-makes-it"],
  },
  {
    name: "the ledger's create takes every name",
    lie: onLedger((ledger) => ({
      create: (name, value, context) =>
        ledger.create(name, value, context).catch((error: unknown) => {
          if (!isCtrlPlaneError(error) || error.code !== "INVALID") throw error;
          return "1";
        }),
    })),
    caughtBy: ["ledger.a-name-that-is-none-is-refused"],
  },
  {
    name: "the ledger's create trims",
    lie: onLedger((ledger) => ({ create: (name, value, context) => ledger.create(name, value.trim(), context) })),
    caughtBy: ["ledger.gives-back-byte-for-byte"],
  },
  {
    name: "the ledger cuts long records",
    lie: onLedger((ledger) => ({
      create: (name, value, context) => ledger.create(name, value.slice(0, 65_536), context),
    })),
    caughtBy: ["ledger.holds-256-kib"],
  },
  {
    name: "the ledger's read gives nothing for nothing much",
    lie: onLedger((ledger) => ({
      async read(name, context) {
        const found = await ledger.read(name, context);
        return found?.value === "" ? undefined : found;
      },
    })),
    caughtBy: ["ledger.holds-an-empty-value"],
  },
  {
    name: "the ledger's swap ignores the version",
    lie: onLedger((ledger) => ({
      async swap(name, value, version, context) {
        const found = await ledger.read(name, context);
        return ledger.swap(name, value, found?.version ?? version, context);
      },
    })),
    caughtBy: ["ledger.a-swap-of-an-old-version-is-refused", "ledger.one-of-many-swaps"],
  },
  {
    name: "the ledger's swap keeps the version",
    lie: onLedger((ledger) => ({
      async swap(name, value, version, context) {
        await ledger.swap(name, value, version, context);
        return version;
      },
    })),
    caughtBy: ["ledger.a-swap-needs-the-version"],
  },
  {
    name: "the ledger's swap makes what is missing",
    lie: onLedger((ledger) => ({
      async swap(name, value, version, context) {
        const found = await ledger.read(name, context);
        return found === undefined ? ledger.create(name, value, context) : ledger.swap(name, value, version, context);
      },
    })),
    caughtBy: ["ledger.a-swap-of-nothing-is-refused"],
  },
  {
    name: "the ledger's remove ignores the version",
    lie: onLedger((ledger) => ({ remove: (name, _version, context) => ledger.remove(name, undefined, context) })),
    caughtBy: ["ledger.an-old-version-is-not-removed"],
  },
  {
    name: "the ledger's remove wants something to remove",
    lie: onLedger((ledger) => ({
      async remove(name, version, context) {
        if ((await ledger.read(name, context)) === undefined) throw new CtrlPlaneError("NOT_FOUND", "it is not there");
        await ledger.remove(name, version, context);
      },
    })),
    caughtBy: ["ledger.nothing-is-nothing"],
  },
  {
    name: "the ledger's remove does nothing",
    lie: onLedger(() => ({ remove: () => Promise.resolve() })),
    caughtBy: [
      "ledger.a-swap-of-nothing-is-refused",
      "ledger.a-removed-record-is-gone",
      "ledger.an-old-version-is-not-removed",
    ],
  },
  {
    name: "the ledger lists a hundred",
    lie: onLedger((ledger) => ({
      list: async (prefix, context) => (await ledger.list(prefix, context)).slice(0, 100),
    })),
    caughtBy: ["ledger.many-records-are-listed"],
  },
  {
    name: "the ledger lists by alphabet",
    lie: onLedger((ledger) => ({
      list: async (prefix, context) =>
        (await ledger.list(prefix, context)).toSorted((a, b) => a.localeCompare(b, "en")),
    })),
    caughtBy: ["ledger.names-are-listed-in-order"],
  },
  {
    name: "a removal takes the records with it",
    lie: (honest) => ({
      async deprovision(request, context) {
        await honest.deprovision(request, context);
        const names = (await honest.ledger?.list("", context)) ?? [];
        for (const name of names)
          if (name.includes(`/${request.instance.stack}/`)) await honest.ledger?.remove(name, undefined, context);
      },
    }),
    caughtBy: ["ledger.records-are-no-instances"],
  },
];

function onLedger(change: (ledger: Ledger) => Partial<Ledger>) {
  return ({ ledger }: Provider): Partial<Provider> =>
    ledger === undefined ? {} : { ledger: { ...ledger, ...change(ledger) } };
}
