import type { Behaviour } from "../behaviour.ts";
import { address } from "./address.ts";
import { cancellation } from "./cancellation.ts";
import { capabilities } from "./capabilities.ts";
import { check } from "./check.ts";
import { deploy, verdicts } from "./deploy.ts";
import { environment } from "./environment.ts";
import { errors } from "./errors.ts";
import { execGroup, run } from "./exec.ts";
import { fencing, scaleFence } from "./fencing.ts";
import { idempotence } from "./idempotence.ts";
import { identity } from "./identity.ts";
import { jobs } from "./jobs.ts";
import { ledger } from "./ledger.ts";
import { lifecycle } from "./lifecycle.ts";
import { limits } from "./limits.ts";
import { list } from "./list.ts";
import { logs } from "./logs.ts";
import { foreignExec, ownership } from "./ownership.ts";
import { rollback } from "./rollback.ts";
import { rolling } from "./rolling.ts";
import { scale } from "./scale.ts";
import { blue_green, canary } from "./staged.ts";
import { timeouts } from "./timeouts.ts";
import { volumes } from "./volumes.ts";

/** Every behaviour, in the order of reports. */
export const behaviours: readonly Behaviour[] = [
  identity,
  capabilities,
  ownership,
  foreignExec,
  lifecycle,
  idempotence,
  deploy,
  verdicts,
  rolling,
  blue_green,
  canary,
  scale,
  rollback,
  jobs,
  logs,
  execGroup,
  run,
  volumes,
  environment,
  address,
  list,
  check,
  cancellation,
  timeouts,
  fencing,
  scaleFence,
  ledger,
  errors,
  limits,
].flatMap((each) => each.behaviours);
