/**
 * What a replica inherits from the environment that its supervisor was started in, where the user's own environment does
 * not set it. `LC_*` stands for every name that begins so. Nothing else is inherited.
 */
export const inheritedNames = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_*", "TZ", "TMPDIR"] as const;

/** The inherited part of an environment. */
export function inheritedEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && isInherited(name)) kept[name] = value;
  }
  return kept;
}

function isInherited(name: string): boolean {
  return inheritedNames.some((each) => (each.endsWith("*") ? name.startsWith(each.slice(0, -1)) : name === each));
}
