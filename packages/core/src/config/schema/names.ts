import * as z from "zod";
import { noted, refuse } from "./notes.ts";

/** Longest label of a name in DNS, and of a value in Kubernetes' labels. */
const longestName = 63;

/** Names of stacks, services and providers: what pctl 1.1 could run on its platforms. */
export function nameOf(what: string): z.ZodString {
  const name = z.string().superRefine((value, context) => {
    if (value.length > longestName)
      refuse(context, {
        code: "bad-name",
        summary: `the name of this ${what} has ${value.length} characters, more than ${longestName}`,
        hint: "Choose a shorter name.",
      });
    else if (!/^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(value))
      refuse(context, {
        code: "bad-name",
        summary: `${JSON.stringify(value)} cannot be the name of a ${what}`,
        hint: "Use letters, digits and hyphens, with a letter or digit at both ends.",
      });
  });
  return noted(name, { expected: `the name of a ${what}` });
}

/** Names of environment variables. */
export const variableName = z.string().superRefine((value, context) => {
  if (value === "" || /[=\0]/.test(value))
    refuse(context, {
      code: "bad-name",
      summary: `${JSON.stringify(value)} cannot be the name of a variable`,
      hint: "Write `NAME: value`.",
    });
});
