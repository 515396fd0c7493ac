/** One thing in a build context. */
export type ContextEntry =
  | (EntryHead & { readonly kind: "folder" })
  | ContextFile
  | (EntryHead & { readonly kind: "link"; readonly target: string });

export interface ContextFile extends EntryHead {
  readonly kind: "file";
  readonly bytes: number;
  /** Hex, of its content. */
  readonly sha256: string;
}

interface EntryHead {
  /** Relative, with `/`. */
  readonly path: string;
  /** Permission bits, sticky and set-id ones included. */
  readonly mode: number;
  /**
   * Of its last change, in milliseconds since the epoch. It never counts for a hash; it goes along into the image, as with docker:
   * web servers tell versions of a file by time and size (`ETag`), and zip knows no time before 1980.
   */
  readonly mtimeMs: number;
}
