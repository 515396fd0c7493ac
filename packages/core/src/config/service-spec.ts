import type {
  CommandSpec,
  DomainSpec,
  NeedCondition,
  RegistrySpec,
  ServiceSpec,
  TlsSpec,
  VolumeSpec,
} from "../model/spec.ts";
import type { ScaleSpec } from "../model/resources.ts";
import type { ProviderDeclaration } from "../model/stack.ts";
import { readFileMounts } from "./file-mounts.ts";
import { readHealth } from "./health-spec.ts";
import { checkJob, readJob } from "./job-spec.ts";
import { readImage } from "./image-spec.ts";
import type { At } from "./at.ts";
import type { DeclaredService } from "./schema/service.ts";
import { readStrategy } from "./strategy-spec.ts";

export interface SpecSurroundings {
  readonly folder: string;
  /** Default of `keep`. */
  readonly keep: number;
  readonly isOperating: boolean;
  readonly provider: ProviderDeclaration;
  readonly jobs: ReadonlySet<string>;
  /** `health.onfailure` was filled in as pctl 1.1 did. */
  readonly isOnFailureDefault: boolean;
  /** Names in `env` whose values are secret. */
  readonly secretEnv: readonly string[];
  secret(name: string): string | undefined;
}

/** Fills every default in. Undefined where a problem was reported. */
export function readServiceSpec(
  service: string,
  declared: DeclaredService,
  around: SpecSurroundings,
  at: At,
): ServiceSpec | undefined {
  const { folder, isOperating } = around;
  const { ports = [], strategy, stop = {} } = declared;
  checkJob(declared, at);
  const image = readImage(declared, folder, !isOperating, at);
  const volumes = readVolumes(declared, at);
  const health =
    declared.health === undefined
      ? undefined
      : readHealth(declared.health, ports, around.isOnFailureDefault, at.child("health"));
  const { env, secretEnv } = readEnv(declared, around, at);
  const command = readCommand(declared.command);
  if (image === undefined) return undefined;
  return {
    service,
    kind: declared.kind ?? "service",
    image,
    ...readExtras(declared, at),
    ...(command === undefined ? {} : { command }),
    env,
    secretEnv,
    files: isOperating ? [] : readFileMounts(declared.files ?? {}, folder, at.child("files")),
    scale: readScale(declared),
    ports,
    domains: (declared.domains ?? []).map(readDomain),
    ...(health === undefined ? {} : { health }),
    volumes,
    needs: readNeeds(declared.needs, around.jobs),
    strategy: readStrategy(strategy, ports, volumes.length),
    stop: { ...(stop.signal === undefined ? {} : { signal: stop.signal }), graceMs: stop.grace ?? 10_000 },
    protect: declared.protect ?? false,
    keep: declared.keep ?? around.keep,
    accept: around.provider.accept,
  };
}

type Extras = Pick<ServiceSpec, "registry" | "entrypoint" | "tls" | "formerly" | "job" | "providerOptions">;

/** Fields that stay away where they are not declared. */
function readExtras(declared: DeclaredService, at: At): Extras {
  const { entrypoint, formerly } = declared;
  const tls = readTls(declared.tls, at);
  const registry = readRegistry(declared.registry);
  const options =
    (typeof declared.provider === "object" && "name" in declared.provider ? declared.provider.options : undefined) ??
    {};
  return {
    ...(registry === undefined ? {} : { registry }),
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(tls === undefined ? {} : { tls }),
    ...(formerly === undefined ? {} : { formerly }),
    ...(declared.kind === "job" ? { job: readJob(declared) } : {}),
    ...(Object.keys(options).length === 0 ? {} : { providerOptions: options }),
  };
}

function readEnv(
  declared: DeclaredService,
  around: SpecSurroundings,
  at: At,
): { env: Record<string, string>; secretEnv: string[] } {
  const env: Record<string, string> = { ...declared.env };
  const secretEnv = new Set(around.secretEnv);
  for (const [index, entry] of (declared.secrets ?? []).entries()) {
    for (const { variable, secret } of entry) {
      if (Object.hasOwn(env, variable)) {
        at.child("secrets")
          .child(index)
          .problem({
            code: "env-twice",
            summary: `${variable} is set by env and by secrets`,
            hint: "Keep one of the two.",
          });
        continue;
      }
      secretEnv.add(variable);
      env[variable] = around.isOperating ? `\${secret:${secret}}` : (around.secret(secret) ?? "");
    }
  }
  return { env, secretEnv: [...secretEnv].sort() };
}

function readCommand(command: DeclaredService["command"]): CommandSpec | undefined {
  if (command === undefined || command === "") return undefined;
  return typeof command === "string" ? { shell: command } : { args: command };
}

function readRegistry(registry: DeclaredService["registry"]): RegistrySpec | undefined {
  if (registry === undefined) return undefined;
  if (typeof registry === "string") return { url: registry };
  const { url, username, password } = registry;
  return { url, ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

function readScale({ scale = {} }: DeclaredService): ScaleSpec {
  const { replica = 1, cpu, memory, disk, gpu } = scale;
  return {
    replicas: replica,
    ...(cpu === undefined ? {} : { cpuMillis: cpu }),
    ...(memory === undefined ? {} : { memoryMb: memory }),
    ...(disk === undefined ? {} : { diskMb: disk }),
    ...(gpu === undefined ? {} : { gpuCount: gpu.count ?? 1 }),
    ...(gpu?.type === undefined ? {} : { gpuType: gpu.type }),
  };
}

function readTls(tls: DeclaredService["tls"], at: At): TlsSpec | undefined {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return {};
  const { email, cert, key } = tls;
  if ((cert === undefined) !== (key === undefined))
    return at
      .child("tls")
      .problem({ code: "missing", at: "key", summary: "cert and key belong together", hint: "Give both, or neither." });
  if (cert !== undefined && key !== undefined) return { cert, key };
  return email === undefined ? {} : { email };
}

function readDomain(declared: NonNullable<DeclaredService["domains"]>[number]): DomainSpec {
  return typeof declared === "string"
    ? { host: declared, path: "/" }
    : { host: declared.host, path: declared.path ?? "/" };
}

function readVolumes(declared: DeclaredService, at: At): VolumeSpec[] {
  const seen = new Set<string>();
  return (declared.volumes ?? []).flatMap((each, index) => {
    const { path, name, size, external, host, readOnly = false } = each;
    const here = at.child("volumes").child(index);
    const kinds = Object.entries({ name, external, host }).filter(([, value]) => value !== undefined);
    if (kinds.length > 1)
      here.problem({
        code: "wrong-value",
        summary: `a volume has one of ${kinds.map(([key]) => key).join(", ")}, not several`,
        hint: "Keep one.",
      });
    const mount = path.length > 1 ? path.replace(/\/+$/, "") : path;
    if (seen.has(mount))
      here.problem({
        code: "volume-twice",
        summary: `two volumes are mounted at ${path}`,
        hint: "Give each a path of its own.",
      });
    seen.add(mount);
    return [
      {
        path,
        readOnly,
        ...(name === undefined ? {} : { name }),
        ...(size === undefined ? {} : { sizeMb: size }),
        ...(external === undefined ? {} : { external }),
        ...(host === undefined ? {} : { host }),
      },
    ];
  });
}

/** In a list a job is needed completed, anything else healthy. */
function readNeeds(needs: DeclaredService["needs"], jobs: ReadonlySet<string>): Record<string, NeedCondition> {
  if (needs === undefined) return {};
  if (!Array.isArray(needs)) return needs;
  return Object.fromEntries(needs.map((name) => [name, jobs.has(name) ? "completed" : "healthy"]));
}
