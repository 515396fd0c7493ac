import assert from "node:assert/strict";
import {
  hasErrors,
  newId,
  revisionOf,
  specHash,
  type DeployRequest,
  type DeployResult,
  type InstanceIdentity,
  type InstanceStatus,
  type Release,
  type RollbackRequest,
  type ServiceSpec,
} from "@ctrlplane/core/provider";
import type { Bench, ContextOptions } from "./bench.ts";
import type { Answer, Program, SeenInstance, SeenReplica } from "./harness.ts";
import { denials, Refused, refusedByCheck } from "./refused.ts";
import { specOf } from "./spec.ts";

/** How long `stop` gives. */
export const ending = { signal: "SIGTERM", graceMs: 2_000, drainMs: 0 };

/** One service of a bench: what the engine would do with it, and what is to be seen of it. */
export class Service {
  readonly instance: InstanceIdentity;
  readonly hostPort: number;
  readonly #bench: Bench;
  #number = 0;
  /** The release that serves, as far as this bench deployed it. */
  serving: Release | undefined;

  constructor(bench: Bench, instance: InstanceIdentity, hostPort: number) {
    this.#bench = bench;
    this.instance = instance;
    this.hostPort = hostPort;
  }

  spec(program: Program, change: Partial<ServiceSpec> = {}): ServiceSpec {
    return { ...specOf(this.#bench.harness, this.instance.service, program, this.hostPort), ...change };
  }

  /** As the engine makes one: checked, pinned, built, provided for. Throws `Refused` where `check` has errors. */
  async release(program: Program, change: Partial<ServiceSpec> = {}): Promise<Release> {
    const { provider } = this.#bench;
    const context = this.#bench.context();
    const { instance } = this;
    const spec = this.spec(program, change);
    this.requireAccepted(spec);
    const cacheDir = await this.#bench.folder();
    const image = await provider.identifyImage({ instance, spec, cacheDir }, context);
    await provider.buildImage({ instance, spec, image }, context);
    if (provider.capabilities().includes("provision")) await provider.provision({ instance, spec }, context);
    return this.pin(spec, image);
  }

  pin(spec: ServiceSpec, image: Release["image"]): Release {
    this.#number += 1;
    return {
      id: newId("rel"),
      number: this.#number,
      instance: this.instance,
      spec,
      image,
      revision: revisionOf(spec, image, 0, this.#bench.provider.fixed?.(spec)),
      specHash: specHash(spec, image),
      change: this.#number,
      createdAt: new Date().toISOString(),
    };
  }

  requireAccepted(spec: ServiceSpec): void {
    const { provider, health, needs } = this.#bench;
    const problems = provider.check(spec, health, this.instance).filter((each) => hasErrors([each]));
    const denied = denials(problems, needs);
    assert.deepEqual(denied, [], `the capability is declared, and check refuses what it promises`);
    if (problems.length > 0) throw refusedByCheck(problems);
  }

  request(release: Release, change: Partial<DeployRequest> = {}): DeployRequest {
    return {
      instance: this.instance,
      release,
      ...(this.serving === undefined ? {} : { previous: this.serving }),
      replicas: release.spec.scale.replicas,
      strategy: release.spec.strategy,
      deployment: newId("dep"),
      journal: this.#bench.journal(),
      ...change,
    };
  }

  async deploy(
    release: Release,
    change: Partial<DeployRequest> = {},
    options: ContextOptions = {},
  ): Promise<DeployResult> {
    const request = this.request(release, change);
    const result = await this.#bench.provider.deploy(request, this.#bench.context(options));
    if (result.state !== "paused") this.serving = release;
    return result;
  }

  /** A release of this program, deployed. */
  async up(program: Program, change: Partial<ServiceSpec> = {}): Promise<Release> {
    const release = await this.release(program, change);
    await this.deploy(release);
    return release;
  }

  async rollback(release: Release, change: Partial<RollbackRequest> = {}): Promise<DeployResult> {
    const { previousReplicas: _, ...request } = this.request(release);
    const result = await this.#bench.provider.rollback({ ...request, ...change }, this.#bench.context());
    this.serving = release;
    return result;
  }

  status(): Promise<InstanceStatus> {
    return this.#bench.provider.status({ instance: this.instance }, this.#bench.context());
  }

  deprovision(volumes = false): Promise<void> {
    return this.#bench.provider.deprovision({ instance: this.instance, volumes }, this.#bench.context());
  }

  stop(): Promise<InstanceStatus> {
    return this.#bench.provider.stop({ instance: this.instance, ...ending }, this.#bench.context());
  }

  /** For `start` and `restart`. */
  again(release: Release, deployment = newId("dep")) {
    const replicas = release.spec.scale.replicas;
    return { instance: this.instance, release, replicas, deployment, journal: this.#bench.journal() };
  }

  look(): Promise<SeenInstance | undefined> {
    return this.#bench.harness.look(this.instance.name);
  }

  /** Replicas whose process runs, by the platform's word. */
  async running(): Promise<readonly SeenReplica[]> {
    return ((await this.look())?.replicas ?? []).filter((each) => each.isRunning);
  }

  /** Those that run at one moment: a single look takes a while, in which one may come and another go. */
  async runningAtOnce(): Promise<readonly SeenReplica[]> {
    let last = await this.running();
    for (;;) {
      const now = await this.running();
      if (idsOf(now).join() === idsOf(last).join()) return now;
      last = now;
    }
  }

  /** The one that runs. */
  async replica(): Promise<SeenReplica> {
    const [first, ...more] = await this.running();
    assert.ok(first !== undefined && more.length === 0, `one replica of ${this.instance.name} runs`);
    return first;
  }

  /** Versions of what runs, e.g. `two two`. */
  async versions(): Promise<string> {
    return versionsOf(await this.running());
  }

  async ids(): Promise<readonly string[]> {
    return idsOf(await this.running());
  }

  /** Where people reach it; throws `Refused` where this provider publishes nothing. */
  url(spec: ServiceSpec | undefined = this.serving?.spec): string {
    assert.ok(spec !== undefined, "a release was deployed");
    const [url] = this.#bench.provider.address(this.instance, spec).published;
    if (url !== undefined) return url;
    throw new Refused("nothing is published");
  }

  ask(spec?: ServiceSpec): Promise<Answer | undefined> {
    return this.#bench.harness.ask(this.url(spec));
  }

  /** Who answers, e.g. `two`; empty where nobody does. */
  async answers(): Promise<string> {
    return (await this.ask())?.version ?? "";
  }
}

/** E.g. `one two two`. */
export function versionsOf(replicas: readonly SeenReplica[]): string {
  return replicas
    .map((each) => each.version)
    .toSorted()
    .join(" ");
}

function idsOf(replicas: readonly SeenReplica[]): readonly string[] {
  return replicas.map((each) => each.id).toSorted();
}
