/** `@ctrlplane/provider-docker`: containers on a Docker Engine. */
export { createDockerProvider, type DockerParts } from "./provider.ts";
export { endpointOf } from "./endpoint-of.ts";
export { checkOptions, readOptions, type DockerOptions } from "./options.ts";
