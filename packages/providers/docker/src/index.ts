/** `@ctrlplane/provider-docker`: containers on a Docker Engine. */
import type { Provider, ProviderEnvironment, ProviderFactory, ReplicaDriver } from "@ctrlplane/core/provider";
import { connectEngine, type Endpoint } from "@ctrlplane/images";
import { endpointOf } from "./endpoint-of.ts";
import { checkOptions, readOptions } from "./options.ts";
import { createDockerProvider } from "./provider.ts";

/** Type `docker`. Options: see `DockerOptions`; without any, the engine that the `docker` command would use. */
export const provider: ProviderFactory = {
  type: "docker",
  checkOptions,
  create,
};

/** `through`: for tests, what its driver passes. */
function create(
  given: Readonly<Record<string, unknown>>,
  environment: ProviderEnvironment,
  through?: (driver: ReplicaDriver) => ReplicaDriver,
): Provider {
  const options = readOptions(given);
  const endpoint = endpointOf(options, environment);
  const { gatewayImage } = options;
  return createDockerProvider({
    engine: connectEngine(endpoint),
    publicHost: publicHostOf(endpoint),
    environment,
    ...(gatewayImage === undefined ? {} : { gatewayImage }),
    ...(through === undefined ? {} : { through }),
  });
}

/** Where people reach what an engine publishes: its host. */
function publicHostOf(endpoint: Endpoint): string {
  return endpoint.kind === "socket" ? "127.0.0.1" : endpoint.host;
}
