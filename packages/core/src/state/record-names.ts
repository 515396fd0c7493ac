import { sha256 } from "../model/hash.ts";
import { fitName } from "../model/names.ts";

/** Which stack's records are meant. */
export interface StackScope {
  readonly stack: string;
  readonly tenant?: string;
}

const longestWord = 48;

/** Names of a stack's records in a ledger. Numbers have 8 digits, so that names sort as numbers do. */
export function recordNames(of: StackScope) {
  const stack = `stacks/${word(of.stack)}`;
  const root = of.tenant === undefined ? stack : `tenants/${word(of.tenant)}/${stack}`;
  const change = (number: number) => `${root}/changes/${digits(number)}`;
  return {
    lineage: `${root}/lineage`,
    lease: `${root}/lease`,
    changes: `${root}/changes/`,
    lastChange: `${root}/last-change`,
    change: (number: number) => `${change(number)}/`,
    changeBegun: (number: number) => `${change(number)}/begun`,
    changeFinished: (number: number) => `${change(number)}/finished`,
    changeOutput: (number: number) => `${change(number)}/output`,
    deployments: (number: number) => `${change(number)}/deployments/`,
    deployment: (number: number, id: string) => `${change(number)}/deployments/${word(id)}`,
    allReleases: `${root}/releases/`,
    releases: (service: string) => `${root}/releases/${word(service)}/`,
    release: (service: string, number: number) => `${root}/releases/${word(service)}/${digits(number)}`,
    intents: `${root}/intents/`,
    runs: `${root}/runs/`,
    run: (service: string) => `${root}/runs/${word(service)}`,
    intent: (service: string) => `${root}/intents/${word(service)}`,
    part: (hash: string, index: number) => `${root}/parts/${hash}-${index}`,
  };
}

export type RecordNames = ReturnType<typeof recordNames>;

/** A user's name as one word of a record's name; one that is too long or has other characters ends in 8 digits of its hash. */
export function word(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, "_").replace(/^\./, "_");
  return fitName(plain === name ? name : `${plain}-${sha256(name).slice(0, 8)}`, longestWord);
}

function digits(number: number): string {
  return String(number).padStart(8, "0");
}
