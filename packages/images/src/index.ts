/** `@ctrlplane/images`: container images for providers that run them, and the Docker Engine that builds them. */
export * from "./context/build-source.ts";
export * from "./context/entry.ts";
export * from "./context/read-context.ts";
export * from "./context/tar.ts";
export * from "./engine/client.ts";
export * from "./engine/endpoint.ts";
export * from "./engine/errors.ts";
export * from "./engine/version.ts";
