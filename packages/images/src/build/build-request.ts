import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EngineClient, EngineRequest } from "../engine/client.ts";
import type { ContextFile } from "../context/entry.ts";
import { isCtrlPlaneError, sha256 } from "@ctrlplane/core/provider";
import type { BuildContext } from "../context/read-context.ts";
import { readContextFile } from "../context/read-file.ts";
import { tarOf, type ExtraFile } from "../context/tar.ts";
import { openBuildSession } from "../buildkit/session.ts";
import { headerOf, loginForEngine, serverAddress } from "../registry/login.ts";
import type { FindLogin } from "../registry/logins.ts";
import { parseReference } from "../registry/reference.ts";

/** One request to build, and what is to be closed once it was answered. */
export interface BuildRequest {
  readonly request: EngineRequest;
  /** What went wrong on this side while the builder read the context. */
  problem(): unknown;
  close(): void;
}

export interface BuildRequestParts {
  readonly context: BuildContext;
  readonly tag: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly login: FindLogin;
  readonly signal: AbortSignal;
}

/** For BuildKit: it fetches context, Dockerfile, secrets and credentials over a session as it needs them. */
export async function buildKitRequest(engine: EngineClient, parts: BuildRequestParts): Promise<BuildRequest> {
  const { context, secrets, signal } = parts;
  const { content } = context.dockerfile;
  const dockerfile: ContextFile = {
    kind: "file",
    path: "Dockerfile",
    mode: 0o644,
    mtimeMs: 0,
    bytes: content.length,
    sha256: sha256(content),
  };
  let problem: unknown;
  const read = async function* (file: ContextFile): AsyncGenerator<Buffer> {
    try {
      yield* readContextFile(file, context);
    } catch (error) {
      problem ??= error;
      throw error;
    }
  };
  const session = await openBuildSession(
    engine,
    {
      folders: {
        context: { entries: context.entries, read },
        dockerfile: { entries: [dockerfile], read: () => once(content) },
      },
      secrets,
      login: parts.login,
      // Equal content alone is taken over: time and size, which the builder compares, do not always tell what changed.
      sharedKey: context.digest,
    },
    signal,
  );
  const query = { ...queryOf(parts), version: "2", remote: "client-session", session: session.id };
  const request = { method: "POST", path: "/build", query: { ...query, dockerfile: "Dockerfile" }, signal } as const;
  return { request, problem: () => problem, close: () => session.close() };
}

/** For the classic builder: all that it sees is sent with the request. */
export async function classicRequest(parts: BuildRequestParts): Promise<BuildRequest> {
  const { context, signal } = parts;
  const { path, content } = context.dockerfile;
  const name = path ?? `.dockerfile.${context.digest.slice(-16)}`;
  const extra = path === undefined ? await besideTheContext(name, content, context) : [];
  const request = {
    method: "POST",
    path: "/build",
    query: { ...queryOf(parts), version: "1", rm: true, forcerm: true, dockerfile: name },
    headers: { "Content-Type": "application/x-tar", ...(await loginsFor(content, parts.login)) },
    body: tarOf(context, extra),
    signal,
  } as const;
  let problem: unknown;
  request.body.once("error", (error) => {
    problem = error;
  });
  return { request, problem: () => problem, close: () => request.body.destroy() };
}

/** The classic builder asks for nothing: logins for the registries that the Dockerfile names come with the request. */
async function loginsFor(dockerfile: Buffer, login: FindLogin): Promise<Readonly<Record<string, string>>> {
  const named = dockerfile.toString().matchAll(/^\s*(?:FROM|COPY)\s+(?:--(?:from=(\S+)|\S+)\s+)*(\S+)/gim);
  const domains = new Set([...named].flatMap(([, from, image]) => domainOf(from ?? image ?? "")));
  const known: Record<string, object> = {};
  for (const domain of domains) {
    const found = await login(domain);
    if (found !== undefined) known[serverAddress(domain)] = loginForEngine(found, domain);
  }
  if (Object.keys(known).length === 0) return {};
  return { "X-Registry-Config": headerOf(known) };
}

/** None for the name of a stage with a variable, or of something else. */
function domainOf(image: string): readonly string[] {
  try {
    return [parseReference(image).domain];
  } catch (error) {
    if (isCtrlPlaneError(error)) return [];
    throw error;
  }
}

/** A Dockerfile that the context does not hold. The builder reads it, then removes what the `.dockerignore` names. */
async function besideTheContext(name: string, content: Buffer, context: BuildContext): Promise<readonly ExtraFile[]> {
  const isWanted = context.entries.some((each) => each.path === ".dockerignore");
  const before = isWanted ? await readFile(join(context.source.context, ".dockerignore"), "utf8") : ".dockerignore";
  return [
    { path: name, content },
    { path: ".dockerignore", content: Buffer.from(`${before}\n${name}\n`) },
  ];
}

function queryOf({ context, tag, labels }: BuildRequestParts): NonNullable<EngineRequest["query"]> {
  const { args, target, platform } = context.source;
  return { t: tag, buildargs: args, labels, target, platform };
}

async function* once(content: Buffer): AsyncGenerator<Buffer> {
  if (content.length > 0) yield content;
}
