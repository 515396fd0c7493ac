/** Where a Docker Engine answers. Plain data. */
export type Endpoint =
  | {
      readonly kind: "socket";
      /** Absolute path of its Unix socket. */
      readonly path: string;
    }
  | {
      readonly kind: "tcp";
      readonly host: string;
      readonly port: number;
      /** PEM texts; absent: plain HTTP. */
      readonly tls?: {
        readonly ca?: string;
        readonly cert?: string;
        readonly key?: string;
        /** Default true. */
        readonly verify?: boolean;
      };
    };

/** As the docker CLI writes it in `DOCKER_HOST`. */
export function describeEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === "socket") return `unix://${endpoint.path}`;
  return `tcp://${endpoint.host}:${endpoint.port}`;
}
