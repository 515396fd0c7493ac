import type { Diagnostic, SourceRange } from "../errors/diagnostic.ts";
import type { ServiceSpec } from "./spec.ts";

/** An entry of `providers:`, or one that a service's own `{ name, options }` implies. */
export interface ProviderDeclaration {
  readonly name: string;
  readonly type: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Fields that may be ignored on this one. */
  readonly accept: readonly string[];
}

/** A service as declared, before it is wired to others. */
export interface StackService {
  readonly spec: ServiceSpec;
  /** Names of its providers in `Stack.providers`, one or more: an instance on each, deployed and reverted together. */
  readonly providers: readonly string[];
  /** pctl 1.1's fingerprint; absent where 1.1 could not express the service. */
  readonly fingerprint?: string;
  /** Declared fields that pctl 1.1 ignored: an equal fingerprint says nothing about them. */
  readonly ignoredBy11?: readonly string[];
  /** Names of other services whose address the spec uses; they come first, like those in `needs`. Absent: none. */
  readonly wires?: readonly string[];
}

/** One `pctl.yaml` in one environment, resolved and validated; the engine's input. */
export interface Stack {
  readonly name: string;
  readonly environment?: string;
  /** Whose it is, where a control plane serves several: labelled so, with records of its own. */
  readonly tenant?: string;
  /** The folder of the configuration file, absolute: paths in it are relative to this. */
  readonly folder: string;
  /** The configuration file as the user would name it. */
  readonly file: string;
  readonly providers: Readonly<Record<string, ProviderDeclaration>>;
  /** The default provider's name. */
  readonly defaultProvider?: string;
  readonly services: Readonly<Record<string, StackService>>;
  /** Git commit of the folder, where there is one. */
  readonly commit?: string;
  /** Source of a field by its dotted path (`services.web.ports[0]`), or of the nearest parent that stands in the file. */
  locate(field: string): { readonly path: string; readonly range?: SourceRange } | undefined;
}

export interface ParsedStack {
  /** Absent when a diagnostic is an error. */
  readonly stack?: Stack;
  readonly diagnostics: readonly Diagnostic[];
}
