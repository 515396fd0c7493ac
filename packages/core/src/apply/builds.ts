import type { PinnedImage } from "../model/image.ts";
import type { DesiredInstance } from "../plan/input.ts";

/** Images that one change makes: each is told once for a provider, with all services that it is for. */
export class Builds {
  readonly #services = new Map<string, string[]>();
  readonly #providers = new Map<string, Set<string>>();
  readonly #begun = new Set<string>();

  /** `desired`: instances that the change brings. */
  constructor(desired: readonly DesiredInstance[]) {
    for (const { instance, image } of desired) {
      if (image.source?.how !== "build") continue;
      const key = keyOf(instance.provider, image);
      this.#services.set(key, [...(this.#services.get(key) ?? []), instance.service]);
      const providers = this.#providers.get(image.digest) ?? new Set();
      this.#providers.set(image.digest, providers.add(instance.provider));
    }
  }

  /** Whether this is the first that asks for the image on its provider: it tells of the build. False of what is not built. */
  begin({ instance, image }: Pick<DesiredInstance, "instance" | "image">): boolean {
    const key = keyOf(instance.provider, image);
    if (image.source?.how !== "build" || this.#begun.has(key)) return false;
    this.#begun.add(key);
    return true;
  }

  /** For whom it is, e.g. `on vps2 for migrate, web`: the provider where there are several. */
  describe({ instance, image }: Pick<DesiredInstance, "instance" | "image">): string {
    const services = this.servicesOf({ instance, image });
    const isOnSeveral = (this.#providers.get(image.digest)?.size ?? 0) > 1;
    return `${isOnSeveral ? `on ${instance.provider} ` : ""}for ${services.join(", ")}`;
  }

  servicesOf({ instance, image }: Pick<DesiredInstance, "instance" | "image">): readonly string[] {
    return this.#services.get(keyOf(instance.provider, image)) ?? [instance.service];
  }
}

function keyOf(provider: string, { digest }: PinnedImage): string {
  return `${provider} ${digest}`;
}
