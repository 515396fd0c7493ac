import { randomBytes } from "node:crypto";
import { fitName } from "@ctrlplane/core/provider";
import type { ExecSession, ProviderContext, RunRequest, Terminal } from "@ctrlplane/core/provider";
import { mapEngineError, segment, unlessMissing, type EngineClient } from "@ctrlplane/images";
import type { Adoptions } from "./adoption.ts";
import { containerBody } from "./container-body.ts";
import { putFiles } from "./files.ts";
import type { EngineImages } from "./image.ts";
import { roleLabels } from "./labels.ts";
import { mountsOf, networkName } from "./names.ts";
import { openSession } from "./session.ts";
import { startError } from "./verdicts.ts";
import { ensureMounts } from "./volumes.ts";

/** A fresh container of a release, with the volumes of its first replica, without ports; gone when its command ends. */
export async function runOnce(
  {
    engine,
    adoptions,
    images,
  }: {
    readonly engine: EngineClient;
    readonly adoptions: Adoptions;
    readonly images: Pick<EngineImages, "having">;
  },
  { instance, release, command, terminal }: RunRequest,
  context: ProviderContext,
): Promise<ExecSession> {
  const { signal } = context;
  const isTerminal = terminal !== undefined;
  const name = fitName(`${instance.name}-run-${randomBytes(4).toString("hex")}`, 63);
  const adoption = await adoptions.read(instance, signal);
  const layout = adoption?.layout;
  // What `containerBody` makes, of which a run takes all but the ports.
  const {
    HostConfig,
    NetworkingConfig: _,
    ...body
  } = containerBody({
    release,
    ordinal: 1,
    deployment: "",
    isDirect: false,
    ...(layout === undefined ? {} : { layout }),
  });
  const wanted = {
    ...body,
    ...(command === undefined ? {} : { Cmd: command }),
    Labels: roleLabels(instance, "run"),
    ExposedPorts: {},
    Healthcheck: { Test: ["NONE"] },
    AttachStdin: true,
    OpenStdin: true,
    StdinOnce: true,
    Tty: isTerminal,
    HostConfig: {
      ...(HostConfig as object),
      PortBindings: {},
      RestartPolicy: { Name: "no" },
      NetworkMode: networkName(instance),
    },
  };
  try {
    const mounts = mountsOf(instance, release.revision.volumes, 1, layout);
    await ensureMounts(engine, instance, mounts, adoption?.volumes ?? [], context);
    const request = { method: "POST", path: "/containers/create", query: { name }, body: wanted, signal } as const;
    const create = () => engine.json<{ readonly Id: string }>(request);
    const { Id: id } = await images.having(release, context, create);
    const remove = (): Promise<unknown> =>
      unlessMissing(engine.json({ method: "DELETE", path: `/containers/${id}`, query: { force: true, v: true } }));
    try {
      return await begin(
        engine,
        id,
        { name, release, ...(terminal === undefined ? {} : { terminal }), remove },
        context,
      );
    } catch (error) {
      const told = await startError(engine, error, { id, name }, signal);
      await remove();
      throw told;
    }
  } catch (error) {
    throw mapEngineError(error, instance.name);
  }
}

async function begin(
  engine: EngineClient,
  id: string,
  run: Pick<RunRequest, "release" | "terminal"> & { readonly name: string; remove(): Promise<unknown> },
  context: ProviderContext,
): Promise<ExecSession> {
  const { signal } = context;
  const path = `/containers/${segment(id)}`;
  await putFiles(engine, { id, name: run.name }, run.release, context);
  const query = { stream: true, stdin: true, stdout: true, stderr: true };
  const connection = await engine.upgrade({ method: "POST", path: `${path}/attach`, query, signal });
  await engine.json({ method: "POST", path: `${path}/start`, signal });
  const resize = ({ columns, rows }: Terminal): void => {
    // Too late for a command that has just ended.
    engine.json({ method: "POST", path: `${path}/resize`, query: { h: rows, w: columns } }).catch(() => undefined);
  };
  if (run.terminal !== undefined) resize(run.terminal);
  const end = async (): Promise<number> => {
    const { StatusCode } = await engine.json<{ readonly StatusCode: number }>({
      method: "POST",
      path: `${path}/wait`,
      query: { condition: "not-running" },
    });
    await run.remove();
    return StatusCode;
  };
  return openSession({
    connection,
    isTerminal: run.terminal !== undefined,
    resize,
    kill: (word) =>
      void engine.json({ method: "POST", path: `${path}/kill`, query: { signal: word } }).catch(() => undefined),
    exitCode: end,
  });
}
