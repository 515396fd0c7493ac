/** One thing in a build context. `path` is relative, with `/`; `mode` are the permission bits, sticky and set-id ones included. */
export type ContextEntry =
  | { readonly kind: "folder"; readonly path: string; readonly mode: number }
  | ContextFile
  | { readonly kind: "link"; readonly path: string; readonly mode: number; readonly target: string };

export interface ContextFile {
  readonly kind: "file";
  readonly path: string;
  readonly mode: number;
  readonly bytes: number;
  /** Hex, of its content. */
  readonly sha256: string;
}
