import { stripVTControlCharacters } from "node:util";
import type { ErrorMessage } from "../engine/messages.ts";

/** What happens in a build, as it happens. */
export type BuildProgress =
  /** A step of the Dockerfile, e.g. `[2/3] COPY . /app`. */
  | { readonly kind: "step"; readonly step: string; readonly state: "started" | "cached" | "done" }
  /** One line that a step wrote. */
  | { readonly kind: "output"; readonly step: string; readonly text: string };

/** Why a build failed. */
export interface BuildFailure {
  /** The step that failed, where it is known. */
  readonly step?: string;
  /** In the builder's words. */
  readonly reason: string;
}

/** What one message of a build's answer says. */
export interface BuildNews {
  readonly progress: readonly BuildProgress[];
  readonly failure?: BuildFailure;
  /** Id of the image that was made, `sha256:…`. */
  readonly imageId?: string;
}

/** Reads messages of a build's answer in their order. */
export type BuildReader = (message: BuildMessage) => BuildNews;

/** One JSON message of the answer to `POST /build`, as far as it is read. */
export interface BuildMessage extends ErrorMessage {
  readonly id?: string;
  readonly aux?: unknown;
  readonly stream?: string;
}

/** `{ ID }` in `aux`. */
export function imageIdIn(aux: unknown): { readonly imageId?: string } {
  if (typeof aux !== "object" || aux === null || !("ID" in aux) || typeof aux.ID !== "string") return {};
  return { imageId: aux.ID };
}

/** A line of a terminal without colours and the like. */
export function plainText(line: string): string {
  return stripVTControlCharacters(line).replace(/\r$/, "");
}
