import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { CtrlPlaneError } from "@ctrlplane/core/provider";
import type { RegistryLogin } from "./login.ts";

/**
 * Asks `docker-credential-{helper}` for the login of a registry, as docker does: the registry on its input, JSON on its output.
 * Undefined where it knows none. `env`: where it is looked up and what it sees.
 * @throws `UNAUTHORIZED` where it cannot be asked.
 */
export async function askHelper(
  helper: string,
  registry: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<RegistryLogin | undefined> {
  const program = `docker-credential-${helper}`;
  const { code, output } = await run(program, registry, env);
  // Helpers say so in these words, with exit code 1.
  if (code !== 0 && /credentials not found/i.test(output)) return undefined;
  // Its output may hold a secret where it did not fail, and its reason where it did.
  if (code !== 0) throw cannotAsk(program, registry, output.trim() === "" ? `exit code ${code}` : output.trim());
  const answer = parse(output);
  if (answer === undefined) throw cannotAsk(program, registry, "its answer is no login");
  const { Username, Secret } = answer;
  if (Username === "<token>") return { kind: "token", identityToken: Secret };
  return { kind: "password", username: Username, password: Secret };
}

async function run(program: string, input: string, env: Readonly<Record<string, string | undefined>>) {
  const child = spawn(program, ["get"], { env: { ...env }, stdio: ["pipe", "pipe", "ignore"] });
  const failed = new Promise<never>((_, reject) => {
    child.once("error", (error) => reject(cannotAsk(program, input, error.message, error)));
  });
  // One that does not read its input is judged by its answer.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const ended = new Promise<number>((resolve) => {
    child.once("close", (code) => resolve(code ?? 1));
  });
  const [output, code] = await Promise.race([failed, Promise.all([text(child.stdout), ended])]);
  return { code, output };
}

function parse(output: string): { readonly Username: string; readonly Secret: string } | undefined {
  try {
    const answer: unknown = JSON.parse(output);
    if (typeof answer !== "object" || answer === null || !("Username" in answer) || !("Secret" in answer))
      return undefined;
    return { Username: String(answer.Username), Secret: String(answer.Secret) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function cannotAsk(program: string, registry: string, why: string, cause?: unknown): CtrlPlaneError {
  return new CtrlPlaneError("UNAUTHORIZED", `${program} gave no login for ${registry}: ${why}`, {
    target: registry,
    hint: "The docker configuration names it. Install it, or log in with `docker login` and without it.",
    ...(cause === undefined ? {} : { cause }),
  });
}
