import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  instanceId,
  instanceName,
  newId,
  type Capability,
  type InstanceIdentity,
  type PlatformHealth,
  type Progress,
  type Provider,
  type ProviderContext,
  type RolloutDecision,
} from "@ctrlplane/core/provider";
import { freePort } from "./free-port.ts";
import type { Harness } from "./harness.ts";
import { journalOf, type TestJournal } from "./journal.ts";
import { leaseOf, type Lease } from "./lease.ts";
import { Service } from "./service.ts";
import { recreate, serves } from "./spec.ts";

export interface ContextOptions {
  readonly signal?: AbortSignal;
  readonly lease?: Lease;
  /** Milliseconds by which its clock is ahead. */
  readonly aheadMs?: number;
}

/** What one behaviour works with: a stack of its own on the platform, and everything around a call of a provider. */
export class Bench {
  readonly harness: Harness;
  readonly provider: Provider;
  readonly health: PlatformHealth;
  /** What the behaviour is about: a spec that asks for it may not be refused. */
  readonly needs: readonly Capability[];
  readonly stack = `c${randomBytes(4).toString("hex")}`;
  readonly lineage = newId("lin");
  readonly progress: Progress[] = [];
  readonly warnings: string[] = [];
  lease: Lease = leaseOf(this.stack, 1);
  readonly #services: Service[] = [];
  readonly #volumes: string[] = [];
  #epoch = 1;
  #folder: string | undefined;

  constructor(harness: Harness, provider: Provider, health: PlatformHealth, needs: readonly Capability[]) {
    this.harness = harness;
    this.provider = provider;
    this.health = health;
    this.needs = needs;
  }

  identity(
    service: string,
    of: { readonly stack?: string; readonly lineage?: string; readonly tenant?: string } = {},
  ): InstanceIdentity {
    const { stack = this.stack, lineage = this.lineage, tenant } = of;
    const { platformId } = this.health;
    return {
      id: instanceId({ lineage, stack, service, platformId }),
      name: instanceName(stack, service),
      stack,
      service,
      lineage,
      provider: this.harness.name,
      platformId,
      ...(tenant === undefined ? {} : { tenant }),
    };
  }

  /** A service of this bench, gone at its end. Nothing of it is on the platform yet. */
  async service(name = "web", of: Parameters<Bench["identity"]>[1] = {}): Promise<Service> {
    const service = new Service(this, this.identity(name, of), await freePort());
    this.#services.push(service);
    return service;
  }

  context({ signal, lease = this.lease, aheadMs = 0 }: ContextOptions = {}): ProviderContext {
    return {
      signal: signal ?? new AbortController().signal,
      clock: {
        now: () => Date.now() + aheadMs,
        monotonic: () => performance.now(),
        sleep: (ms, stop) => sleep(ms, undefined, stop === undefined ? {} : { signal: stop }),
      },
      log: {
        debug: (message, data) => void this.warnings.push(`${message} ${JSON.stringify(data ?? {})}`),
        warn: (message, data) => void this.warnings.push(`${message} ${JSON.stringify(data ?? {})}`),
      },
      progress: (progress) => void this.progress.push(progress),
      fence: lease.fence,
      sealer: {
        seal: (plain, purpose) => Buffer.from(`${purpose}\0${plain}`).toString("base64"),
        open: (sealed, purpose) =>
          Buffer.from(sealed, "base64")
            .toString()
            .slice(purpose.length + 1),
      },
    };
  }

  /** Another one holds the lease from now on, and has written something: the platform knows of it, and the old holder too. */
  async loseLease(): Promise<Lease> {
    const old = this.lease;
    this.lease = leaseOf(this.stack, (this.#epoch += 1));
    const witness = await this.service(`witness${this.#epoch}`);
    const release = await witness.release(serves("witness"), { strategy: recreate });
    await witness.deploy(release, { replicas: 0 });
    old.lose();
    return old;
  }

  /** A journal under the lease that is held now, with what was decided before. */
  journal(decisions: readonly RolloutDecision[] = []): TestJournal {
    return journalOf(this.lease, decisions);
  }

  writes(): Promise<readonly string[]> {
    return this.harness.writes(this.stack);
  }

  /** Folder for caches of this bench. */
  async folder(): Promise<string> {
    return (this.#folder ??= await mkdtemp(join(tmpdir(), "ctrlplane-conformance-")));
  }

  volume(words: string): string {
    const name = `${this.stack}-${words}`;
    this.#volumes.push(name);
    return name;
  }

  async close(): Promise<void> {
    const context = this.context();
    // Best effort: what a provider does not remove here, `lifecycle` has found, and the harness ends.
    await Promise.allSettled(
      this.#services.map(({ instance }) => this.provider.deprovision({ instance, volumes: true }, context)),
    );
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}
