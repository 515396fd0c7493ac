import { Cron } from "croner";
import { messageOf } from "../errors/message-of.ts";

/** Why an expression is no schedule; undefined where it is one. Five fields, six with seconds first, or a word such as `@daily`. */
export function scheduleProblem(expression: string): string | undefined {
  let next: Date | null;
  try {
    next = new Cron(expression, { mode: "5-or-6-parts", paused: true, timezone: "UTC" }).nextRun();
  } catch (error) {
    return `${JSON.stringify(expression)} is no cron expression: ${reasonOf(error)}`;
  }
  return next === null ? `${JSON.stringify(expression)} never comes` : undefined;
}

/** Why a name is no time zone; undefined where it is one. */
export function timezoneProblem(name: string): string | undefined {
  try {
    // Throws where the system knows no such zone.
    Intl.DateTimeFormat("en", { timeZone: name });
    return undefined;
  } catch {
    return `${JSON.stringify(name)} is no time zone that this system knows`;
  }
}

/** `CronPattern: invalid configuration format …` without the name of the class. */
function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return message.replace(/^CronPattern: */, "");
}
