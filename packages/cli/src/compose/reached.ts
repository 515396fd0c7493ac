import type { Draft } from "./draft.ts";

/**
 * A service with ports may stand behind a gateway, which passes on declared ports alone: those that others name in their environment and
 * commands (`http://api:9090`) are declared. A service without ports is reached at all of them.
 */
export function declareReached(drafts: readonly Draft[]): void {
  for (const draft of drafts) {
    if (draft.list("ports").length === 0) continue;
    for (const port of portsNamed(draft.name, drafts)) {
      if (isDeclared(port, draft)) continue;
      draft.begin("ports");
      draft.add("ports", { containerPort: port });
    }
  }
}

function portsNamed(name: string, drafts: readonly Draft[]): Set<number> {
  const pattern = new RegExp(`(?<![\\w.-])${name.replaceAll(/[.\\]/g, "\\$&")}:(\\d{1,5})(?!\\d)`, "g");
  const others = drafts.filter((each) => each.name !== name);
  const texts = others.map((each) => JSON.stringify([each.map("env"), each.list("command"), each.list("entrypoint")]));
  const ports = texts.flatMap((text) => [...text.matchAll(pattern)].map(([, port]) => Number(port)));
  return new Set(ports.filter((port) => port >= 1 && port <= 65_535));
}

function isDeclared(port: number, draft: Draft): boolean {
  return draft.list("ports").some(
    (each) =>
      typeof each === "string"
        ? new RegExp(`:${port}(/|$)`).test(each)
        : Number((each as { readonly containerPort: unknown }).containerPort) === port, // the only other kind
  );
}
