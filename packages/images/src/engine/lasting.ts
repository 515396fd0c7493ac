import type { EngineRequest } from "./client.ts";

const paths = [
  /^\/events$/,
  /^\/(build|session|grpc)$/,
  /^\/images\/(create|load|get)$/,
  /^\/images\/.+\/(push|get)$/,
  /^\/containers\/[^/]+\/(wait|stop|restart|attach|archive|export)$/,
  /^\/exec\/[^/]+\/start$/,
];

/**
 * Whether the answer to a request takes as long as something else does: a person, a container, a transfer. Such a request must not
 * keep the short ones waiting, among which is the renewal of a lease.
 */
export function isLasting({ path, query = {} }: Pick<EngineRequest, "path" | "query">): boolean {
  if (query["follow"] !== undefined && query["follow"] !== false) return true;
  if (/^\/containers\/[^/]+\/stats$/.test(path)) return query["stream"] !== false;
  return paths.some((each) => each.test(path));
}
