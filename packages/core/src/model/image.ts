/**
 * What an image is, pinned: two equal digests run the same bytes. Made by `Provider.identifyImage` without writing, and
 * by `Provider.buildImage` after which the platform has it.
 */
export interface PinnedImage {
  /** `sha256:…` of the content: a registry's digest, or core's content hash of a folder or build context. */
  readonly digest: string;
  /** How the user named it: `./web`, `postgres:17`. */
  readonly declared: string;
  /** What the platform calls it, where that is more than the digest. */
  readonly reference?: string;
  /** Where it was made from files: how much there is. */
  readonly source?: {
    /** Folder or file as written. */
    readonly context: string;
    readonly bytes: number;
    readonly files: number;
    /** `build`: made from a context; `snapshot`: copied as it is. */
    readonly how: "build" | "snapshot";
  };
}
