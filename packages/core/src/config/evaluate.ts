import type { Redactor } from "../errors/redaction.ts";
import type { BoundResolver } from "./bound-resolver.ts";
import { refuseResolver } from "./refuse-resolver.ts";
import type { SecretSource } from "./env-files.ts";
import { EntryGraph, type Entry } from "./entry-graph.ts";
import { mayHoldExpression, parseTemplate } from "./expression.ts";
import type { Expression, Template } from "./expression.ts";
import type { FieldPath } from "./field-path.ts";
import type { Problem, Problems } from "./problems.ts";
import { cloneMarked, isContainer, keysOf, setAt, unresolved, valueAt } from "./tree.ts";
import type { Container, Marks, Tree } from "./tree.ts";
import { UnsetSecrets } from "./unset-secrets.ts";
import { hasToken, tokenFor, writeToken } from "./wiring-token.ts";
import { messageOf } from "../errors/message-of.ts";

export interface EvaluationOptions {
  readonly root: Tree;
  readonly marks: Marks;
  readonly problems: Problems;
  readonly resolvers: ReadonlyMap<string, BoundResolver>;
  readonly secrets: SecretSource;
  readonly redactor: Redactor;
  /** `operate`: a secret that is not set leaves its expression as it is. */
  readonly purpose: "deploy" | "operate";
}

type Outcome = { readonly value: unknown; readonly secret: boolean } | "absent" | "failed";

/**
 * Puts values in the place of expressions, in place. Each entry is resolved once, when first asked for; what it became is
 * never read again as an expression.
 */
export class Evaluation {
  readonly #options: EvaluationOptions;
  readonly #entries: EntryGraph;
  readonly #unset = new UnsetSecrets();

  constructor(options: EvaluationOptions) {
    this.#options = options;
    this.#entries = new EntryGraph(options.problems, (entry) => this.#resolve(entry));
  }

  /** Resolves every text below `path` that `wanted` does not leave out. */
  async resolveAll(path: FieldPath, wanted: (path: FieldPath) => boolean): Promise<void> {
    const found: Promise<void>[] = [];
    const visit = (container: Container, key: string | number, at: FieldPath) => {
      if (!wanted(at)) return;
      const value = valueAt(container, key);
      if (typeof value === "string" && mayHoldExpression(value))
        found.push(this.#entries.entry(container, key, at).done);
      else if (isContainer(value)) for (const inner of keysOf(value)) visit(value, inner, [...at, inner]);
    };
    const [key, ...rest] = path.toReversed();
    if (key === undefined) for (const each of keysOf(this.#options.root)) visit(this.#options.root, each, [each]);
    else {
      let container: unknown = this.#options.root;
      for (const part of rest.toReversed()) container = isContainer(container) ? valueAt(container, part) : undefined;
      if (isContainer(container)) visit(container, key, path);
    }
    await Promise.all(found);
  }

  /** A secret by its name, for `secrets:`; undefined where it is not set, which `reportUnset` tells. */
  secret(name: string, path: FieldPath): string | undefined {
    const value = this.#options.secrets.find(name);
    if (value === undefined) this.#unset.note(name, path, {});
    else this.#options.redactor.add(value);
    return value;
  }

  /** All secrets that are not set, as one problem. */
  reportUnset(): void {
    if (this.#options.purpose !== "operate") this.#unset.report(this.#options.problems);
  }

  async #resolve(entry: Entry): Promise<void> {
    const { container, key, path } = entry;
    const text = String(valueAt(container, key));
    const inCommand = isCommand(path);
    const { template, shellLike, unended } = parseTemplate(text, inCommand);
    if (!inCommand) this.#warnShellLike(entry, shellLike);
    if (unended !== undefined) {
      const problem = {
        code: "expression",
        summary: `the expression ${unended} has no closing brace`,
        hint: "Add `}`, or write `$${` for the text `${`.",
      };
      this.#problem(entry, unended, problem);
      setAt(container, key, unresolved);
      return;
    }
    const outcome = await this.#evaluate(template, entry);
    if (outcome === "failed" || outcome === "absent") setAt(container, key, unresolved);
    else {
      setAt(container, key, outcome.value);
      if (outcome.secret) this.#options.marks.update(container, key, { secret: true });
    }
  }

  async #evaluate(template: Template, entry: Entry): Promise<Outcome> {
    const [only] = template;
    if (template.length === 1 && only !== undefined && typeof only !== "string") return this.#expression(only, entry);
    let [text, secret, failed] = ["", false, false];
    for (const part of template) {
      const outcome: Outcome =
        typeof part === "string" ? { value: part, secret: false } : await this.#expression(part, entry);
      if (outcome === "failed" || outcome === "absent") failed = true;
      else if (isContainer(outcome.value)) {
        failed = true;
        const source = typeof part === "string" ? part : part.source;
        this.#problem(entry, source, {
          code: "expression",
          summary: `${source} is ${Array.isArray(outcome.value) ? "a list" : "a map"} and cannot stand inside a text`,
        });
      } else {
        text += String(outcome.value);
        secret ||= outcome.secret;
      }
    }
    return failed ? "failed" : { value: text, secret };
  }

  async #expression(expression: Expression, entry: Entry): Promise<Outcome> {
    const inner = await this.#evaluate(expression.key, entry);
    if (inner === "failed" || inner === "absent") return "failed";
    if (isContainer(inner.value)) {
      this.#problem(entry, expression.source, {
        code: "expression",
        summary: `the key of ${expression.source} is not a text`,
      });
      return "failed";
    }
    const key = String(inner.value);
    if (hasToken(key)) {
      const hint = "Use ${service:…} as a value of env or in a command, not inside another expression.";
      this.#problem(entry, expression.source, {
        code: "wiring-nested",
        summary: "the address of a service is known only later and cannot be part of a key",
        hint,
      });
      return "failed";
    }
    const outcome = await this.#lookUp(expression, key, entry);
    if (outcome !== "absent") return outcome;
    if (expression.fallback !== undefined) return this.#evaluate(expression.fallback, entry);
    if (expression.name === "secret") return this.#unsetSecret(expression, key, entry);
    const { name, source }: Expression = expression;
    const what = name === "env" ? `the environment variable ${key} is not set` : `${source} has no value`;
    this.#problem(entry, expression.source, {
      code: "absent",
      summary: `${what}, and there is no fallback`,
      hint: `Set it, or write a fallback: \${${name}:${key}, value}.`,
    });
    return "failed";
  }

  async #lookUp(expression: Expression, key: string, entry: Entry): Promise<Outcome> {
    const { name } = expression;
    if (name === "self") return this.#self(key, entry);
    if (name === "service") return this.#service(expression, key, entry);
    if (name === "secret") {
      const value = this.#options.secrets.find(key);
      return value === undefined ? "absent" : this.#known(value, true);
    }
    const resolver = this.#options.resolvers.get(name);
    if (resolver === undefined) return this.#unknownResolver(expression, entry);
    const fallback = resolver.takesFallback ? await this.#eagerFallback(expression, entry) : undefined;
    try {
      const value = await resolver.call(key, fallback);
      return value === undefined || value === null ? "absent" : this.#known(value, resolver.secret);
    } catch (error) {
      const why = messageOf(error);
      const hint =
        expression.fallback === undefined ? undefined : "The fallback stands for what is absent, not for what failed.";
      this.#problem(entry, expression.source, {
        code: "resolver-failed",
        summary: `the resolver ${name} failed for ${JSON.stringify(key)}: ${why}`,
        hint,
      });
      return "failed";
    }
  }

  /** Resolvers of pctl 1.1 take the fallback's value. Problems in it count only if it is needed, and then they are found again. */
  async #eagerFallback(expression: Expression, entry: Entry): Promise<unknown> {
    if (expression.fallback === undefined) return undefined;
    const before = this.#options.problems.count;
    const outcome = await this.#evaluate(expression.fallback, entry);
    if (outcome !== "failed" && outcome !== "absent") return outcome.value;
    this.#options.problems.takeSince(before);
    return undefined;
  }

  #known(value: unknown, secret: boolean): Outcome {
    if (secret) this.#addSecret(value);
    return { value, secret };
  }

  #addSecret(value: unknown): void {
    if (isContainer(value)) Object.values(value).forEach((each) => this.#addSecret(each));
    else if (typeof value === "string" || typeof value === "number") this.#options.redactor.add(String(value));
  }

  /** A dotted path in the declaration. Names with dots in them are found too: the longest that exists. */
  async #self(key: string, entry: Entry): Promise<Outcome> {
    let value: unknown = this.#options.root;
    let secret = false;
    const path: (string | number)[] = [];
    for (let parts = key.split(/\.|\[|\]\.?/).filter((part) => part !== ""); parts.length > 0;) {
      if (!isContainer(value)) return "absent";
      const container = value;
      const length = longestKey(container, parts);
      if (length === 0) return "absent";
      const name = parts.slice(0, length).join(".");
      path.push(Array.isArray(container) ? Number(name) : name);
      parts = parts.slice(length);
      if (!(await this.#entries.waitFor(container, name, [...path], entry))) return "failed";
      value = valueAt(container, name);
      secret = this.#options.marks.get(container, name)?.secret === true;
    }
    if (value === undefined || value === null) return "absent";
    if (!isContainer(value)) return { value, secret };
    return (await this.#entries.waitForAll(value, path, entry))
      ? { value: cloneMarked(value, this.#options.marks), secret }
      : "failed";
  }

  #service(expression: Expression, key: string, entry: Entry): Outcome {
    const token = tokenFor(key);
    if (token !== undefined) return { value: writeToken(token), secret: false };
    const hint = "Write ${service:NAME.host}, .port, .port.9090 or .url.";
    this.#problem(entry, expression.source, {
      code: "wiring",
      summary: `${expression.source} names no part of a service's address`,
      hint,
    });
    return "failed";
  }

  #unsetSecret(expression: Expression, key: string, entry: Entry): Outcome {
    if (this.#options.purpose === "operate") return { value: expression.source, secret: false };
    const range = this.#options.problems.locateWithin(entry.container, entry.key, expression.source);
    this.#unset.note(key, entry.path, range === undefined ? {} : { range });
    return "failed";
  }

  #unknownResolver({ name, source }: Expression, entry: Entry): Outcome {
    this.#problem(
      entry,
      source,
      refuseResolver(name, ["self", "service", "secret", ...this.#options.resolvers.keys()]),
    );
    return "failed";
  }

  #warnShellLike(entry: Entry, found: readonly string[]): void {
    for (const source of new Set(found)) {
      const [name = ""] = /[A-Z_][A-Z0-9_]*/.exec(source) ?? [];
      const hint = `If the environment variable is meant, write \${env:${name}}; to keep the text without this warning, write $${source}.`;
      this.#problem(entry, source, {
        severity: "warning",
        code: "shell-variable",
        summary: `${source} stays as it is`,
        hint,
      });
    }
  }

  #problem(entry: Entry, piece: string, problem: Problem): void {
    const range = this.#options.problems.locateWithin(entry.container, entry.key, piece);
    this.#options.problems.add(entry.path, { ...problem, ...(range === undefined ? {} : { range }) });
  }
}

/** Fields whose text a shell or program reads: there `${NAME}` is theirs. */
function isCommand(path: FieldPath): boolean {
  const [root, , field, inner] = path;
  return (
    root === "services" &&
    (field === "command" || field === "entrypoint" || (field === "health" && inner === "command"))
  );
}

function longestKey(container: Container, parts: readonly string[]): number {
  if (Array.isArray(container)) return parts[0] !== undefined && valueAt(container, parts[0]) !== undefined ? 1 : 0;
  for (let length = parts.length; length > 0; length--) {
    if (Object.hasOwn(container, parts.slice(0, length).join("."))) return length;
  }
  return 0;
}
