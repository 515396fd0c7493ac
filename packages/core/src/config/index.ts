/** From `pctl.yaml` to a `Stack`: load → environment → resolve → plugins → validate. */
export { dependencies } from "./dependencies.ts";
export { jsonSchema } from "./json-schema.ts";
export { loadStack, parseStack } from "./load.ts";
export type { KnownProviderType, LoadOptions } from "./options.ts";
export { reference } from "./reference.ts";
export { defineResolver } from "./resolver.ts";
export type { Resolver, ResolverContext } from "./resolver.ts";
export { wireStack } from "./wire.ts";
export type { WiredStack } from "./wire.ts";
export { readYamlSource } from "./yaml-source.ts";
export type { YamlSource, YamlSourceOptions } from "./yaml-source.ts";
