import { randomBytes } from "node:crypto";
import type { EngineClient } from "../engine/client.ts";
import { registryHost } from "../registry/login.ts";
import type { FindLogin } from "../registry/logins.ts";
import { GrpcError, grpcStatus, serveGrpc, type GrpcCall, type GrpcMethod } from "./grpc.ts";
import { bytesField, integerField, readFields, textOf } from "./protobuf.ts";
import { sendFolder, type SentFolder } from "./send-folder.ts";

/** What a builder may ask for while it builds. */
export interface BuildSessionParts {
  /** By the names `context` and `dockerfile`. */
  readonly folders: Readonly<Record<string, SentFolder>>;
  /** Values by their name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** For images that the Dockerfile names. */
  readonly login: FindLogin;
  /** Builds with an equal key may take over files that were sent before. */
  readonly sharedKey: string;
}

/** The connection over which a builder asks back. */
export interface BuildSession {
  /** For the build's request. */
  readonly id: string;
  close(): void;
}

/** Opens a session of BuildKit over a connection of the engine's API. Nothing reaches it but what is in `parts`. */
export async function openBuildSession(
  engine: EngineClient,
  parts: BuildSessionParts,
  signal?: AbortSignal,
): Promise<BuildSession> {
  const id = randomBytes(16).toString("hex");
  const connection = await engine.upgrade({
    method: "POST",
    path: "/session",
    headers: {
      Upgrade: "h2c",
      "X-Docker-Expose-Session-Uuid": id,
      "X-Docker-Expose-Session-Name": "pctl",
      "X-Docker-Expose-Session-Sharedkey": parts.sharedKey,
      // The builder looks for this one before it asks for files; all else it just tries.
      "X-Docker-Expose-Session-Grpc-Method": "/moby.filesync.v1.FileSync/DiffCopy",
    },
    ...(signal === undefined ? {} : { signal }),
  });
  const server = serveGrpc(connection, methodsOf(parts));
  return { id, close: () => server.close() };
}

function methodsOf(parts: BuildSessionParts): Readonly<Record<string, GrpcMethod>> {
  return {
    // 1: it serves.
    "/grpc.health.v1.Health/Check": single(() => integerField(1, 1)),
    "/moby.filesync.v1.FileSync/DiffCopy": (call) => sendFolder(folderFor(call, parts.folders), call),
    "/moby.filesync.v1.Auth/Credentials": single(async (request) => {
      const found = await parts.login(registryHost(textOf(readFields(request), 1)));
      if (found === undefined) return Buffer.alloc(0);
      // A token comes without a name.
      if (found.kind === "token") return bytesField(2, found.identityToken);
      return Buffer.concat([bytesField(1, found.username), bytesField(2, found.password)]);
    }),
    "/moby.buildkit.secrets.v1.Secrets/GetSecret": single((request) => {
      const name = textOf(readFields(request), 1);
      const value = Object.hasOwn(parts.secrets, name) ? parts.secrets[name] : undefined;
      if (value === undefined) throw new GrpcError(grpcStatus.notFound, `the build has no secret ${name}`);
      return bytesField(1, value);
    }),
  };
}

const nothing: SentFolder = {
  entries: [],
  async *read() {
    // It has no files.
  },
};

function folderFor({ headers }: GrpcCall, folders: BuildSessionParts["folders"]): SentFolder {
  const name = String(headers["dir-name"] ?? "");
  const folder = Object.hasOwn(folders, name) ? folders[name] : undefined;
  if (folder === undefined) throw new GrpcError(grpcStatus.notFound, `the build may not see ${name}`);
  // What is ignored was left out already: the builder need not do it again.
  return name === "context" && headers["followpaths"] === ".dockerignore" ? nothing : folder;
}

function single(respond: (request: Buffer) => Buffer | Promise<Buffer>): GrpcMethod {
  return async (call) => {
    for await (const request of call.messages) {
      await call.send(await respond(request));
      return;
    }
  };
}
