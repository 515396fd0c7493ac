import type { Stack, StackService } from "../model/stack.ts";
import { checkTogether } from "./cross-checks.ts";
import type { CheckedService } from "./cross-checks.ts";
import { DeclaredProviders } from "./declared-providers.ts";
import { wiredServices } from "./dependencies.ts";
import type { Evaluation } from "./evaluate.ts";
import { parsePath } from "./field-path.ts";
import { gitCommit } from "./git-commit.ts";
import type { PipelineOptions } from "./pipeline.ts";
import { checkWiredPorts } from "./placement.ts";
import type { Problems } from "./problems.ts";
import { At } from "./at.ts";
import type { DeclaredStack } from "./schema/stack.ts";
import { readServiceSpec } from "./service-spec.ts";
import { treeAt } from "./tree.ts";
import type { Marks, Tree } from "./tree.ts";

export interface Assembly {
  readonly root: Tree;
  readonly declared: DeclaredStack;
  readonly environment: string | undefined;
  readonly marks: Marks;
  readonly problems: Problems;
  readonly evaluation: Evaluation;
  readonly options: PipelineOptions;
  readonly fingerprints: ReadonlyMap<string, string>;
  ignored(service: string): readonly string[];
}

/** Makes the stack of what was read; reports what does not fit together. */
export function assembleStack(assembly: Assembly): { readonly stack?: Stack } {
  const { declared, environment, problems, options, root } = assembly;
  const { folder, file } = options;
  const at = new At([], problems);
  const providers = new DeclaredProviders(declared, namesIn(root, "providers"), options.providerTypes, at);
  const defaultProvider =
    declared.provider === undefined ? undefined : providers.named(declared.provider, at.child("provider"));
  const checked = readServices(assembly, providers, at);
  if (declared.name === undefined) return {};
  const declaredNames = namesIn(root, "services");
  checkTogether(declared.name, checked, declaredNames, options.providerTypes, at.child("services"));
  checkWiredPorts(Object.fromEntries(Object.entries(checked).map(([name, { spec }]) => [name, spec])), problems, root);
  const commit = gitCommit(folder);
  const services = Object.entries(checked).map(([name, { spec, providers: placed, wires }]): [string, StackService] => {
    // pctl 1.1 knew one provider.
    const fingerprint = placed.length > 1 ? undefined : assembly.fingerprints.get(name);
    const ignored = assembly.ignored(name);
    const about = {
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(ignored.length === 0 ? {} : { ignoredBy11: ignored }),
    };
    return [
      name,
      { spec, providers: placed.map((each) => each.name), ...about, ...(wires.length === 0 ? {} : { wires }) },
    ];
  });
  const stack: Stack = {
    name: declared.name,
    ...(environment === undefined ? {} : { environment }),
    folder,
    file,
    providers: providers.all,
    ...(defaultProvider === undefined ? {} : { defaultProvider: defaultProvider.name }),
    services: Object.fromEntries(services),
    ...(commit === undefined ? {} : { commit }),
    locate(field) {
      const range = problems.locate(parsePath(field));
      return { path: file, ...(range === undefined ? {} : { range }) };
    },
  };
  return { stack };
}

function namesIn(root: Tree, field: string): ReadonlySet<string> {
  return new Set(Object.keys(treeAt(root, field) ?? {}));
}

function readServices(assembly: Assembly, providers: DeclaredProviders, at: At): Record<string, CheckedService> {
  const { declared, options, evaluation, marks, root } = assembly;
  const checked: Record<string, CheckedService> = {};
  const jobs = new Set(
    Object.entries(declared.services ?? {}).flatMap(([name, { kind }]) => (kind === "job" ? [name] : [])),
  );
  for (const [name, service] of Object.entries(declared.services ?? {})) {
    const here = at.child("services").child(name);
    const wanted = service.provider ?? declared.provider;
    const placed =
      wanted === undefined
        ? noProvider(root, name, here)
        : providers.ofService(wanted, service.provider === undefined ? at.child("provider") : here.child("provider"));
    if (isEmptyList(treeAt(root, "services", name)?.["provider"]))
      here
        .child("provider")
        .problem({ code: "empty", summary: "a list of providers names at least one", hint: "provider: [a, b]" });
    const env = treeAt(root, "services", name, "env") ?? {};
    const health = treeAt(root, "services", name, "health") ?? {};
    const spec = readServiceSpec(
      name,
      service,
      {
        folder: options.folder,
        keep: declared.keep ?? 10,
        isOperating: options.purpose === "operate",
        provider: placed[0] ?? { name: "", type: "", options: {}, accept: [] },
        jobs,
        isOnFailureDefault: marks.get(health, "onfailure")?.filled === true,
        secretEnv: Object.keys(env).filter((key) => marks.get(env, key)?.secret === true),
        secret: (secret) => evaluation.secret(secret, ["services", name, "secrets"]),
      },
      here,
    );
    if (spec !== undefined && placed.length > 0)
      checked[name] = { spec, providers: placed, wires: wiredServices(spec) };
  }
  return checked;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function noProvider(root: Tree, service: string, at: At): readonly [] {
  // A provider that is there and was refused is told already.
  if (treeAt(root, "services", service)?.["provider"] !== undefined || root["provider"] !== undefined) return [];
  at.problem({
    code: "missing",
    at: "key",
    summary: `${service} names no provider, and the file has no default`,
    hint: "Add `provider: local` to the service or to the file.",
  });
  return [];
}
