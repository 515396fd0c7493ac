/** An entry of the state file: the seed's fields as pctl 1.1 wrote them, extended with ours. */
export interface StateEntry {
  readonly provider: string;
  readonly image?: string;
  readonly registryUrl?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly fingerprint?: string;
  readonly hasPorts?: boolean;
  readonly pushedByPctl?: boolean;
  readonly destroyed?: boolean;
  readonly cluster?: string;
  readonly namespace?: string;
  readonly hasHpa?: boolean;
  readonly hasRbac?: boolean;
  readonly hasPvc?: boolean;
  readonly hasPv?: boolean;
  readonly hasPullSecret?: boolean;
  readonly host?: string;
  readonly user?: string;
  readonly key?: string;
  readonly sudo?: boolean;
  readonly replica?: number;
  readonly project?: string;
  readonly zone?: string;
  /** Ours, from here on. Absent in an entry that pctl 1.1 wrote. */
  readonly instance?: string;
  readonly platformId?: string;
  readonly release?: number;
  readonly specHash?: string;
  /** It has volumes: its removal asks. */
  readonly hasVolumes?: boolean;
  /** `protect` as last deployed: its removal asks. */
  readonly protect?: boolean;
  /** With `destroyed`: none of its releases is on record any more, as far as is known. */
  readonly isForgotten?: boolean;
  readonly [unknown: string]: unknown;
}

/** `pctl.{stack}.json` in memory. */
export interface StateDocument {
  /** Rises with every write. 0 for a file that pctl 1.1 wrote. */
  readonly serial: number;
  /** Empty for a file that pctl 1.1 wrote. */
  readonly lineage: string;
  /** Number of the last change that was recorded: numbers rise over all platforms that the stack was ever on. */
  readonly lastChange?: number;
  /**
   * Names of providers that a change began to use, and whose end is not on record: something may be there that no entry names.
   * Absent: none.
   */
  readonly pending?: readonly string[];
  /** By `{stack}-{service}`, or `{stack}-{service}@{provider}` from the second provider of a service on. */
  readonly entries: Readonly<Record<string, StateEntry>>;
}

/** Where state documents live: files for `pctl`, a database for a server. All implementations pass one suite. */
export interface StateStore {
  /** Undefined where there is none. Throws `INVALID`, naming the file and the way out, where it is damaged. */
  read(stack: string): Promise<StateDocument | undefined>;
  /**
   * Replaces it atomically if its serial is still `expectedSerial` (undefined: there is none yet), else throws `CONFLICT`.
   * The document's own serial must be a higher one. What the store holds beside the entries stays.
   */
  write(stack: string, document: StateDocument, expectedSerial: number | undefined): Promise<void>;
  /** Moves away what is there, damaged or not, so that it can be written anew; returns where it is kept. Absent is success. */
  setAside(stack: string): Promise<string | undefined>;
  /** Names of the stacks it holds. */
  list(): Promise<readonly string[]>;
}
