import type { Balancer } from "./balancer.ts";

/** Where one entrance sends what comes in. Replaced whole by each table. */
export class EntranceRoutes {
  readonly fallback: Balancer | undefined;
  /** By host; longest path first. */
  readonly #domains: ReadonlyMap<string, readonly PathRoute[]>;

  constructor(
    fallback: Balancer | undefined,
    domains: readonly { readonly host: string; readonly path: string; readonly balancer: Balancer }[],
  ) {
    this.fallback = fallback;
    const byHost = Map.groupBy(domains, (each) => each.host.toLowerCase());
    for (const routes of byHost.values())
      routes.sort((left, right) => prefixOf(right.path).length - prefixOf(left.path).length);
    this.#domains = new Map(
      [...byHost].map(([host, routes]) => [
        host,
        routes.map(({ path, balancer }) => ({ prefix: prefixOf(path), balancer })),
      ]),
    );
  }

  /** `authority`: the `Host` header, port included. `target`: path and query as sent. */
  find(authority: string, target: string): Balancer | undefined {
    if (this.#domains.size === 0) return this.fallback;
    const host = hostOf(authority);
    const query = target.indexOf("?");
    const path = query < 0 ? target : target.slice(0, query);
    return this.#match(host, path) ?? this.#match(`*${host.slice(host.indexOf("."))}`, path) ?? this.fallback;
  }

  #match(host: string, path: string): Balancer | undefined {
    return this.#domains
      .get(host)
      ?.find(
        ({ prefix }) =>
          path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === "/" || prefix === ""),
      )?.balancer;
  }
}

interface PathRoute {
  /** Without a slash at its end; empty takes all. */
  readonly prefix: string;
  readonly balancer: Balancer;
}

function prefixOf(path: string): string {
  return path.replace(/\/+$/, "");
}

function hostOf(authority: string): string {
  return authority.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
}
