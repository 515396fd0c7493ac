import { stackCounterparts } from "./counterparts.ts";
import { fields } from "./fields.ts";
import { service } from "./service.ts";
import { anyMap, convert, integer, list, map, text } from "./shape.ts";
import type { JsonSchema, Read, Shape } from "./shape.ts";

/** Longest label of a name in DNS, and of a value in Kubernetes' labels. */
const longestName = 63;

/** Names of stacks, services and providers: what pctl 1.1 could run on its platforms. */
export function refuseName(what: string, name: string): { summary: string; hint?: string } | undefined {
  if (name.length > longestName)
    return {
      summary: `the name of this ${what} has ${name.length} characters, more than ${longestName}`,
      hint: "Choose a shorter name.",
    };
  if (/^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(name)) return undefined;
  return {
    summary: `${JSON.stringify(name)} cannot be the name of a ${what}`,
    hint: "Use letters, digits and hyphens, with a letter or digit at both ends.",
  };
}

export function nameShape(what: string): Shape<string> {
  return convert(text({ expected: `the name of a ${what}` }), (name, at) => {
    const refused = refuseName(what, name);
    return refused === undefined ? name : at.problem({ code: "bad-name", ...refused });
  });
}

const provider = fields(
  {
    type: { shape: text(), description: "Which kind of provider.", required: true, example: "docker" },
    options: { shape: anyMap, description: "Its options.", default: "{}" },
    accept: {
      shape: list(text()),
      description: "Fields that may be ignored on this one.",
      default: "[]",
      example: "[tls]",
    },
  },
  {
    counterparts: { name: "The key is the name; write `type`.", kind: "Write `type`.", host: "Write it in `options`." },
  },
);

const modulePaths = list(text({ expected: "the path of a module" }));

export const stack = fields(
  {
    name: {
      shape: nameShape("stack"),
      description: "Name of the stack; resources are called {stack}-{service}.",
      required: true,
      example: "shop",
    },
    providers: {
      shape: map(provider, { key: (name) => refuseName("provider", name) }),
      description: "Providers by names of your own. A type's own name is always there.",
    },
    provider: { shape: text(), description: "The provider of services that name none.", example: "vps1" },
    keep: {
      shape: integer({ expected: "a number of releases", min: 1 }),
      description: "Releases kept of each service.",
      default: "10",
    },
    resolver: {
      shape: modulePaths,
      description: "Modules with resolvers of your own, relative to this file.",
      default: "[]",
    },
    plugin: {
      shape: modulePaths,
      description: "Modules that change the declaration, relative to this file.",
      default: "[]",
    },
    custom: { shape: anyMap, description: "Anything, read by ${self:custom.…}.", default: "{}" },
    services: {
      shape: map(service, { key: (name) => refuseName("service", name) }),
      description: "The services by their names.",
      required: true,
    },
  },
  { counterparts: stackCounterparts, knownTo11: true, allowsExtensions: true },
);

export type DeclaredStack = Read<typeof stack>;
export type DeclaredProvider = Read<typeof provider>;

export const environmentsDescription =
  "What differs in each environment: merged over the file; lists replace, null removes. Where it stands, --env is mandatory.";
export const environmentsJson: JsonSchema = {
  type: "object",
  description: environmentsDescription,
  additionalProperties: { type: ["object", "null"] },
};
