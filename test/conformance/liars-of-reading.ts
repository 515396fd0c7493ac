import { PassThrough } from "node:stream";
import type { ExecSession, LogLine } from "@ctrlplane/core/provider";
import { onCall, type Liar } from "./liar.ts";

type Env = Readonly<Record<string, string>>;

/** Lies about logs and commands. */
export const liarsOfReading: readonly Liar[] = [
  {
    name: "exec returns 0 without running",
    lie: () => ({ exec: () => Promise.resolve(silentSession()) }),
    caughtBy: [
      "ownership.other-lineage-runs-no-command-of-ours",
      "exec.prints-what-it-prints",
      "exec.ends-with-its-code",
      "exec.reads-its-input",
      "exec.has-the-environment-of-its-replica",
      "exec.runs-in-the-replica-that-is-named",
      "exec.needs-something-that-runs",
    ],
  },
  {
    name: "exec loses the exit code",
    lie: (honest) => ({
      async exec(request, context) {
        const session = await honest.exec(request, context);
        return { ...session, exit: session.exit.then(() => 0) };
      },
    }),
    caughtBy: ["exec.ends-with-its-code"],
  },
  {
    name: "exec keeps no input",
    lie: (honest) => ({
      async exec(request, context) {
        const session = await honest.exec(request, context);
        session.stdin.end();
        return { ...session, stdin: new PassThrough().resume() };
      },
    }),
    caughtBy: ["exec.reads-its-input"],
  },
  {
    name: "exec runs in any replica",
    lie: (honest) => ({ exec: ({ replica: _, ...request }, context) => honest.exec(request, context) }),
    caughtBy: ["exec.runs-in-the-replica-that-is-named"],
  },
  {
    name: "run has the environment of what serves",
    around: onCall<{ env: Env }>("run", (args) => ({ ...args, env: { ...args.env, MODE: "now" } })),
    caughtBy: ["run.has-the-environment-of-its-release"],
  },
  {
    name: "run runs nothing",
    lie: () => ({ run: () => Promise.resolve(silentSession()) }),
    caughtBy: ["run.runs-a-command-of-a-release", "run.has-the-environment-of-its-release"],
  },
  {
    name: "run takes the place of what serves",
    lie: (honest, { look, remove }) => ({
      async run(request, context) {
        for (const each of (await look(request.instance.name))?.replicas ?? []) await remove(each);
        return honest.run(request, context);
      },
    }),
    caughtBy: ["run.leaves-nothing-and-takes-no-traffic"],
  },
  {
    name: "a command that fails ends the program",
    lie: (honest, { look, kill }) => ({
      async exec(request, context) {
        const session = await honest.exec(request, context);
        const ends = async (): Promise<number> => {
          const code = await session.exit;
          if (code !== 0) for (const each of (await look(request.instance.name))?.replicas ?? []) await kill(each);
          return code;
        };
        return { ...session, exit: ends() };
      },
    }),
    caughtBy: ["exec.leaves-the-program-alone"],
  },
  {
    name: "logs invent their times",
    lie: (honest) => ({
      logs: (request, context) =>
        mapped(honest.logs(request, context), (line) => ({ ...line, at: new Date().toISOString() })),
    }),
    caughtBy: ["logs.times-are-those-of-printing"],
  },
  {
    name: "logs trim their lines",
    lie: (honest) => ({
      logs: (request, context) =>
        mapped(honest.logs(request, context), (line) => ({ ...line, text: line.text.trim() })),
    }),
    caughtBy: ["logs.what-was-printed-can-be-read"],
  },
  {
    name: "logs ignore tail",
    lie: (honest) => ({ logs: ({ tail: _, ...request }, context) => honest.logs(request, context) }),
    caughtBy: ["logs.tail-gives-the-last"],
  },
  {
    name: "logs ignore since",
    lie: (honest) => ({ logs: ({ since: _, ...request }, context) => honest.logs(request, context) }),
    caughtBy: ["logs.since-leaves-out-the-older"],
  },
  {
    name: "logs name no replica",
    lie: (honest) => ({
      logs: (request, context) =>
        mapped(honest.logs(request, context), (line) => ({ ...line, replica: request.instance.name })),
    }),
    caughtBy: ["logs.a-line-names-its-replica", "logs.one-replica-alone"],
  },
  {
    name: "logs forget replicas that are gone",
    lie: (honest) => ({ logs: ({ deployment: _, ...request }, context) => honest.logs(request, context) }),
    caughtBy: [
      "jobs.runs-once-a-release",
      "jobs.an-attempt-is-waited-for",
      "logs.a-deployment-has-its-lines",
      "logs.a-failed-deployment-has-its-lines",
    ],
  },
  {
    name: "logs lose what is printed at the start",
    lie: (honest) => ({
      async *logs(request, context) {
        for await (const line of honest.logs(request, context)) if (!line.text.includes(" starts (")) yield line;
      },
    }),
    caughtBy: [
      "jobs.runs-once-a-release",
      "jobs.an-attempt-is-waited-for",
      "logs.the-first-line-is-there",
      "logs.a-failed-deployment-has-its-lines",
    ],
  },
  {
    name: "reading always follows",
    lie: (honest) => ({ logs: (request, context) => honest.logs({ ...request, follow: true }, context) }),
    caughtBy: [
      "jobs.runs-once-a-release",
      "jobs.an-attempt-is-waited-for",
      "jobs.a-rollback-runs-nothing",
      "logs.what-was-printed-can-be-read",
      "logs.the-first-line-is-there",
      "logs.a-line-names-its-replica",
      "logs.times-are-those-of-printing",
      "logs.tail-gives-the-last",
      "logs.one-replica-alone",
      "logs.since-leaves-out-the-older",
      "logs.follow-gives-what-comes",
      "logs.without-follow-it-ends",
      "logs.a-deployment-has-its-lines",
      "logs.a-failed-deployment-has-its-lines",
    ],
  },
  {
    name: "following ends at once",
    lie: (honest) => ({ logs: (request, context) => honest.logs({ ...request, follow: false }, context) }),
    caughtBy: ["logs.follow-gives-what-comes"],
  },
];

async function* mapped(lines: AsyncIterable<LogLine>, change: (line: LogLine) => LogLine): AsyncGenerator<LogLine> {
  for await (const line of lines) yield change(line);
}

function silentSession(): ExecSession {
  const [stdout, stderr] = [new PassThrough().end(), new PassThrough().end()];
  const stdin = new PassThrough().resume();
  return { stdin, stdout, stderr, resize: () => undefined, kill: () => undefined, exit: Promise.resolve(0) };
}
