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
 * Whether a request is answered in time, but not at once: the start of a container, which may first copy what its image has at the place of
 * a volume. Of these so few are under way that there is always room for a short one.
 */
export function isSlow({ method, path }: Pick<EngineRequest, "method" | "path">): boolean {
  return method === "POST" && /^\/containers\/[^/]+\/start$/.test(path);
}

/**
 * Whether the answer to a request takes as long as something else does: a person, a container, a transfer. Such a request must not
 * keep the short ones waiting, among which is the renewal of a lease.
 */
export function isLasting({ path, query = {} }: Pick<EngineRequest, "path" | "query">): boolean {
  if (query["follow"] !== undefined && query["follow"] !== false) return true;
  if (/^\/containers\/[^/]+\/stats$/.test(path)) return query["stream"] !== false;
  return paths.some((each) => each.test(path));
}
