import type { Draft } from "./draft.ts";

/** Images that name another signal than SIGTERM in their STOPSIGNAL, which compose sends and pctl does not look up. */
const signals: readonly (readonly [image: RegExp, signal: string])[] = [
  [/(?:^|\/)(?:postgres|postgis|timescaledb|pgvector)(?:$|[:@])/, "SIGINT"],
  [/(?:^|\/)nginx(?:$|[:@])/, "SIGQUIT"],
  [/(?:^|\/)php:.*fpm/, "SIGQUIT"],
  [/(?:^|\/)(?:httpd|php:.*apache|wordpress:.*apache)/, "SIGWINCH"],
  [/(?:^|\/)haproxy(?:$|[:@])/, "SIGUSR1"],
];

/** A service without `stop_signal` is ended by the signal of its image. */
export function keepStopSignal(draft: Draft): void {
  const image = draft.fields.get("image");
  if (typeof image !== "string" || draft.map("stop")["signal"] !== undefined) return;
  const [, signal] = signals.find(([name]) => name.test(image)) ?? [];
  if (signal === undefined) return;
  draft.begin("stop_signal");
  draft.merge("stop", { signal });
}
