import * as z from "zod";
import { stackCounterparts } from "./counterparts.ts";
import { withExtensions } from "./extensions.ts";
import { nameOf } from "./names.ts";
import { field, noted, requiredField } from "./notes.ts";
import { anyMap, integer, anyText, text } from "./scalars.ts";
import { service } from "./service.ts";

const provider = noted(
  z.strictObject({
    type: requiredField(anyText, { description: "Which kind of provider.", example: "docker" }),
    options: field(anyMap, { description: "Its options.", default: "{}" }),
    accept: field(z.array(anyText), {
      description: "Fields that may be ignored on this one.",
      default: "[]",
      example: "[tls]",
    }),
  }),
  {
    counterparts: { name: "The key is the name; write `type`.", kind: "Write `type`.", host: "Write it in `options`." },
  },
);

const modulePaths = z.array(text({ expected: "the path of a module" }));

/** The whole file, once `environments` is merged away. */
const declaration = noted(
  z.strictObject({
    name: requiredField(nameOf("stack"), {
      description: "Name of the stack; resources are called {stack}-{service}.",
      example: "shop",
    }),
    providers: field(z.record(nameOf("provider"), provider), {
      description: "Providers by names of your own. A type's own name is always there.",
    }),
    provider: field(anyText, { description: "The provider of services that name none.", example: "vps1" }),
    keep: field(integer({ expected: "a number of releases", min: 1 }), {
      description: "Releases kept of each service.",
      default: "10",
    }),
    resolver: field(modulePaths, {
      description: "Modules with resolvers of your own, relative to this file.",
      default: "[]",
    }),
    plugin: field(modulePaths, {
      description: "Modules that change the declaration, relative to this file.",
      default: "[]",
    }),
    custom: field(anyMap, { description: "Anything, read by ${self:custom.…}.", default: "{}" }),
    services: requiredField(z.record(nameOf("service"), service), {
      description: "The services by their names.",
    }),
  }),
  { counterparts: stackCounterparts, knownTo11: true },
);

export const stack = withExtensions(declaration);
/** What is left of a refused file: `name` and `services` may be lost. */
export const partialStack = withExtensions(declaration.partial());

const overlay = z.union([z.record(z.string(), z.unknown()), z.null()]);
const environments = field(noted(z.record(z.string(), overlay), { expected: "a map of maps" }), {
  description:
    "What differs in each environment: merged over the file; lists replace, null removes. Where it stands, --env is mandatory.",
});
/** As it stands in the file. */
export const file = withExtensions(declaration.extend({ environments }));

export type DeclaredStack = z.output<typeof partialStack>;
