/** What compose does where the variable has no value (or, with `:`, an empty one). */
export interface Variable {
  readonly name: string;
  readonly form: "plain" | "default" | "required" | "alternative";
  /** With `:`: an empty value counts as none. */
  readonly emptyIsUnset: boolean;
  /** The default, or the alternative. */
  readonly word: Template;
}

/** Text and variables in turn. */
export type Template = readonly (string | Variable)[];

const forms = { "-": "default", "?": "required", "+": "alternative" } as const;

/** Reads `$NAME`, `${NAME}`, `${NAME:-x}`, `-`, `:?`, `?`, `:+`, `+`, nested in each other; `$$` is a dollar. Undefined where it is none of them. */
export function parseInterpolation(text: string): Template | undefined {
  const parts: (string | Variable)[] = [];
  let literal = "";
  const end = (): void => {
    if (literal !== "") parts.push(literal);
    literal = "";
  };
  for (let at = 0; at < text.length;) {
    const dollar = text.indexOf("$", at);
    literal += text.slice(at, dollar < 0 ? undefined : dollar);
    if (dollar < 0) break;
    const next = text.charAt(dollar + 1);
    const [name] = /^[A-Za-z_]\w*/.exec(text.slice(dollar + 1)) ?? [];
    if (next === "$") {
      literal += "$";
      at = dollar + 2;
    } else if (name !== undefined) {
      end();
      parts.push({ name, form: "plain", emptyIsUnset: false, word: [] });
      at = dollar + 1 + name.length;
    } else {
      const close = next === "{" ? closingBrace(text, dollar + 1) : undefined;
      const variable = close === undefined ? undefined : parseBraced(text.slice(dollar + 2, close));
      if (close === undefined || variable === undefined) return undefined;
      end();
      parts.push(variable);
      at = close + 1;
    }
  }
  end();
  return parts;
}

function closingBrace(text: string, open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text.charAt(at) === "{") depth++;
    if (text.charAt(at) === "}" && --depth === 0) return at;
  }
  return undefined;
}

function parseBraced(inner: string): Variable | undefined {
  const [, name, colon, operator, rest = ""] = /^([A-Za-z_]\w*)(?:(:?)([-?+])([^]*))?$/.exec(inner) ?? [];
  if (name === undefined) return undefined;
  if (operator === undefined) return { name, form: "plain", emptyIsUnset: false, word: [] };
  // The pattern lets only these through.
  const form = forms[operator as keyof typeof forms];
  const word = form === "required" ? [] : parseInterpolation(rest);
  return word === undefined ? undefined : { name, form, emptyIsUnset: colon === ":", word };
}

/** What compose makes of it with these values. Variables without any are empty, as there. */
export function interpolate(template: Template, value: (name: string) => string | undefined): string {
  const resolved = template.map((part) => {
    if (typeof part === "string") return part;
    const found = value(part.name);
    const isSet = found !== undefined && !(part.emptyIsUnset && found === "");
    if (part.form === "alternative") return isSet ? interpolate(part.word, value) : "";
    return isSet ? found : part.form === "default" ? interpolate(part.word, value) : "";
  });
  return resolved.join("");
}

/** Every variable, those in defaults too. */
export function variablesIn(template: Template): readonly Variable[] {
  return template.flatMap((part) => (typeof part === "string" ? [] : [part, ...variablesIn(part.word)]));
}
