/** `@ctrlplane/images`: container images for providers that run them, and the Docker Engine that builds them. */
export * from "./build/build-image.ts";
export * from "./build/built-image.ts";
export * from "./build/progress.ts";
export * from "./context/build-source.ts";
export * from "./context/entry.ts";
export * from "./context/read-context.ts";
export * from "./context/tar.ts";
export * from "./engine/client.ts";
export * from "./engine/docker-context.ts";
export * from "./engine/endpoint.ts";
export * from "./engine/engine-url.ts";
export * from "./engine/errors.ts";
export * from "./engine/messages.ts";
export * from "./engine/version.ts";
export * from "./registry/login.ts";
export * from "./registry/logins.ts";
export * from "./registry/reference.ts";
