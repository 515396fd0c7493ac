/** `@ctrlplane/provider-docker`: containers on a Docker Engine. */
export { createDockerProvider, type DockerParts } from "./provider.ts";
