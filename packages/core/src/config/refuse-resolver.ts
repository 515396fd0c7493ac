import { anyOf, nearest } from "./nearest.ts";
import type { Problem } from "./problems.ts";

/** Names that this version knows and does not have yet. */
const laterResolvers = ["ssm", "cfn", "secretsmanager"];

/** Why there is no resolver of this name, and what to write. */
export function refuseResolver(name: string, known: readonly string[]): Problem {
  if (laterResolvers.includes(name)) {
    const hint = "Until then pass the value by ${env:…} or ${secret:…}.";
    return { code: "later", summary: `the resolver ${name} comes with a later version`, hint };
  }
  return { code: "unknown-resolver", summary: `there is no resolver ${name}`, hint: suggest(name, known) };
}

function suggest(name: string, known: readonly string[]): string {
  // Written for compose or a shell: ${NAME:-fallback}.
  if (/^[A-Z][A-Z0-9_]*$/.test(name)) {
    return `For an environment variable write \${env:${name}, fallback}; for the text itself write $\${.`;
  }
  const near = nearest(name, known);
  return near === undefined ? `Known are ${anyOf(known)}; write $\${ for the text itself.` : `Did you mean ${near}?`;
}
