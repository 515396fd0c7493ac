import { createRedactor, CtrlPlaneError, parseStack, type Diagnostic } from "@ctrlplane/core";
import { translateCompose, type Translation, type TranslateOptions } from "../compose/translate.ts";
import { builtInTypes } from "../providers.ts";

/** A translation that was read back: what is written is a declaration without an error. */
export interface CheckedTranslation extends Translation {
  readonly text: string;
}

/**
 * Translates a compose file and reads the result as any command would. Throws `INVALID` with all problems of the compose file, in it, and
 * where the result is refused with what is wrong with it, at the service that it came from.
 */
export async function fromCompose(options: TranslateOptions, file: string): Promise<CheckedTranslation> {
  const translation = translateCompose(options);
  const { text, problems } = translation;
  if (text === undefined) throw refused(problems);
  const { diagnostics } = await parseStack(text, {
    cwd: options.folder,
    file,
    env: withSamples(options.env, translation.required),
    envFiles: translation.envFiles,
    redactor: createRedactor(),
    purpose: "deploy",
    providerTypes: builtInTypes,
  });
  const errors = diagnostics.filter((each) => each.severity === "error");
  if (errors.length > 0) throw refused(errors.map((each) => inCompose(each, translation)));
  return { ...translation, text };
}

function refused(diagnostics: readonly Diagnostic[]): CtrlPlaneError {
  return new CtrlPlaneError("INVALID", "the compose file cannot be translated", { diagnostics });
}

/** A port, a tag, a password: numbers that differ are all of these. */
function withSamples(
  env: TranslateOptions["env"],
  names: readonly string[],
): Readonly<Record<string, string | undefined>> {
  return { ...env, ...Object.fromEntries(names.map((name, index) => [name, String(20_001 + index)])) };
}

function inCompose(each: Diagnostic, translation: Translation): Diagnostic {
  const service = /^services(?:\.([\w-]+)|\["([^"]+)"\])/.exec(each.field ?? "");
  const { path, range } = translation.placeOf(service?.[1] ?? service?.[2] ?? "");
  const { summary, code, hint } = each;
  return {
    severity: "error",
    code,
    summary: service === null ? summary : `what this becomes is refused: ${summary}`,
    ...(path === undefined ? {} : { path }),
    ...(range === undefined ? {} : { range }),
    ...(hint === undefined ? {} : { hint }),
  };
}
