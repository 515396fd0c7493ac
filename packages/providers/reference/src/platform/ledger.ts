import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { Platform } from "./platform.ts";

export interface Named {
  readonly name: string;
}

export const ledgerCalls = {
  "ledger.read": ({ state }: Platform, { name }: Named) => state.ledger[name] ?? null,

  "ledger.list": ({ state }: Platform, { prefix }: { readonly prefix: string }) =>
    Object.keys(state.ledger)
      .filter((each) => each.startsWith(prefix))
      .sort(),

  "ledger.create": ({ state }: Platform, { name, value }: Named & { readonly value: string }) => {
    if (state.ledger[name] !== undefined) throw conflict(name, "exists");
    return write({ state }, name, value);
  },

  "ledger.swap": (
    { state }: Platform,
    { name, value, version }: Named & { readonly value: string; readonly version: string },
  ) => {
    if (state.ledger[name]?.version !== version) throw conflict(name, "is another by now");
    return write({ state }, name, value);
  },

  "ledger.remove": ({ state }: Platform, { name, version }: Named & { readonly version?: string }) => {
    const found = state.ledger[name];
    if (found === undefined) return;
    if (version !== undefined && found.version !== version) throw conflict(name, "is another by now");
    Reflect.deleteProperty(state.ledger, name);
  },
};

function write({ state }: Pick<Platform, "state">, name: string, value: string): string {
  const version = `v${(state.made += 1)}`;
  state.ledger[name] = { value, version };
  return version;
}

function conflict(name: string, why: string): CtrlPlaneError {
  return new CtrlPlaneError("CONFLICT", `record ${name} ${why}`, { target: name });
}
