import { CtrlPlaneError } from "../errors/error.ts";
import type { ChangeCommand } from "../model/change.ts";
import type { EventInput, EventType } from "../model/event.ts";
import type { CutOverTraffic } from "../model/traffic.ts";
import type { InstanceIdentity } from "../model/identity.ts";
import type { Stack } from "../model/stack.ts";
import type { ProviderContext } from "../provider/context.ts";
import type { Lease } from "../state/lease.ts";
import { makeContext, readContext, type Core } from "../platforms/core.ts";
import type { Platform, Platforms } from "../platforms/bind.ts";
import { requireProvider } from "../platforms/bind.ts";
import type { Provider } from "../provider/provider.ts";
import type { EventStream } from "./event-stream.ts";
import type { DocumentDraft } from "./document-draft.ts";

/** A change under way: its number, its leases, its events, and the state that it leaves. Everything that writes goes through it. */
export class ChangeScope {
  readonly core: Core;
  readonly stack: Stack;
  readonly command: ChangeCommand;
  readonly number: number;
  readonly platforms: Platforms;
  readonly events: EventStream;
  readonly draft: DocumentDraft;
  /** Aborts when the user wants to stop, or a lease is lost. */
  readonly signal: AbortSignal;
  readonly #leases: ReadonlyMap<string, Lease>;

  constructor(of: {
    readonly core: Core;
    readonly stack: Stack;
    readonly command: ChangeCommand;
    readonly number: number;
    readonly platforms: Platforms;
    readonly events: EventStream;
    readonly draft: DocumentDraft;
    readonly leases: ReadonlyMap<string, Lease>;
    readonly signal: AbortSignal;
  }) {
    this.core = of.core;
    this.stack = of.stack;
    this.command = of.command;
    this.number = of.number;
    this.platforms = of.platforms;
    this.events = of.events;
    this.draft = of.draft;
    this.#leases = of.leases;
    this.signal = of.signal;
  }

  provider(instance: InstanceIdentity): Provider {
    return requireProvider(this.platforms, instance.provider).provider;
  }

  platform(instance: Pick<InstanceIdentity, "provider">): Platform {
    return requireProvider(this.platforms, instance.provider).platform;
  }

  epoch(platformId: string): number {
    return this.#lease(platformId).fence.epoch;
  }

  /** For writes about one instance; its progress becomes events. */
  context(
    instance: InstanceIdentity,
    of: {
      readonly deployment?: string;
      readonly release?: number;
      readonly onTraffic?: (traffic: CutOverTraffic) => void;
    } = {},
  ): ProviderContext {
    return makeContext(this.core, {
      fence: this.#lease(this.platform(instance).id).fence,
      signal: this.signal,
      progress: (progress) => {
        const about = this.#about(instance, of.deployment);
        if (progress.type === "service.traffic") {
          of.onTraffic?.(progress.data);
          const release = of.release === undefined ? {} : { release: of.release };
          this.emit({ type: progress.type, message: progress.message, data: progress.data, ...about, ...release });
          return;
        }
        const { data, replica, release = of.release, type, message } = progress;
        this.emit({
          type,
          message,
          ...about,
          ...(release === undefined ? {} : { release }),
          ...(replica === undefined ? {} : { replica }),
          ...(data === undefined ? {} : { data }),
          ...levelOf(type),
        });
      },
    });
  }

  /** For records that must be written even after an interruption: the fence alone stops them. */
  recordContext(platform: Platform): ProviderContext {
    const never = new AbortController().signal;
    return makeContext(this.core, { fence: this.#lease(platform.id).fence, signal: never });
  }

  readContext(): ProviderContext {
    return readContext(this.core, this.stack.name, this.signal);
  }

  emit(input: EventInput): void {
    this.events.push({ change: this.number, ...input });
  }

  emitFor(instance: InstanceIdentity, input: EventInput, deployment?: string): void {
    this.emit({ ...this.#about(instance, deployment), ...input });
  }

  #about(
    instance: InstanceIdentity,
    deployment: string | undefined,
  ): Pick<EventInput, "service" | "instance" | "provider" | "deployment"> {
    return {
      service: instance.service,
      instance: instance.id,
      provider: instance.provider,
      ...(deployment === undefined ? {} : { deployment }),
    };
  }

  #lease(platformId: string): Lease {
    const lease = this.#leases.get(platformId);
    if (lease === undefined) throw new CtrlPlaneError("INTERNAL", `no lease was taken on platform ${platformId}`);
    return lease;
  }
}

function levelOf(type: EventType): { readonly level?: "warn" | "error" } {
  if (type === "replica.failed" || type === "build.failed") return { level: "error" };
  return type === "diagnostic" ? { level: "warn" } : {};
}
