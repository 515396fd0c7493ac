import type { Liar } from "./liar.ts";
import { liarsOfChecks } from "./liars-of-checks.ts";
import { liarsOfDeploying } from "./liars-of-deploying.ts";
import { liarsOfEnvironment } from "./liars-of-environment.ts";
import { liarsOfFailing } from "./liars-of-failing.ts";
import { liarsOfGuards } from "./liars-of-guards.ts";
import { liarsOfLedger } from "./liars-of-ledger.ts";
import { liarsOfLifecycle } from "./liars-of-lifecycle.ts";
import { liarsOfLists } from "./liars-of-lists.ts";
import { liarsOfOwnership } from "./liars-of-ownership.ts";
import { liarsOfReading } from "./liars-of-reading.ts";
import { liarsOfStrategies } from "./liars-of-strategies.ts";
import { liarsOfVolumes } from "./liars-of-volumes.ts";

export const liars: readonly Liar[] = [
  ...liarsOfOwnership,
  ...liarsOfChecks,
  ...liarsOfLifecycle,
  ...liarsOfDeploying,
  ...liarsOfFailing,
  ...liarsOfStrategies,
  ...liarsOfReading,
  ...liarsOfVolumes,
  ...liarsOfEnvironment,
  ...liarsOfLists,
  ...liarsOfGuards,
  ...liarsOfLedger,
];
