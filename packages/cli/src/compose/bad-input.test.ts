import assert from "node:assert/strict";
import { test } from "node:test";
import { CtrlPlaneError, describeDiagnostic } from "@ctrlplane/core";
import { tryCompose } from "./fixture.test.support.ts";

async function problemsOf(text: string, files?: Readonly<Record<string, string>>): Promise<string[]> {
  try {
    await tryCompose(text, files);
  } catch (error) {
    if (!(error instanceof CtrlPlaneError)) throw error;
    assert.equal(error.code, "INVALID");
    return error.diagnostics.map(describeDiagnostic);
  }
  return [];
}

test("all problems at once, each with its place", async () => {
  const problems = await problemsOf(
    `services:
  web:
    image: busybox
    imge: x
    ports: ["80:x", "1.2.3:80:80", "9000-9002:80-81", { published: 1 }]
    environment:
      PRICE: 5$
      LIST: [a]
    depends_on: [nobody]
    healthcheck: { test: [pg_isready], interval: soon }
    volumes: [nothing:/x, "here:there", { type: volume }]
    mem_limit: lots
    command: "a 'b"
    scale: many
    build: ./nowhere
    configs: [none]
  db: {}
  cache: text
volumez: {}
`,
  );
  assert.deepEqual(problems, [
    "compose.yaml:4:11: compose has no `imge` in a service",
    'compose.yaml:5:13: "80:x" is no port',
    "compose.yaml:5:21: 1.2.3 is no IP address",
    "compose.yaml:5:36: 9000-9002 and 80-81 are ranges of different lengths",
    "compose.yaml:5:55: a port needs its `target`",
    'compose.yaml:7:14: "5$" has a `$` that begins no variable',
    "compose.yaml:8:7: services.web.environment.LIST is a text",
    "compose.yaml:9:18: there is no service nobody",
    'compose.yaml:10:20: "pg_isready" begins no health check',
    'compose.yaml:10:50: "soon" is no duration',
    "compose.yaml:11:15: there is no volume nothing",
    'compose.yaml:11:27: "here:there" mounts nothing',
    "compose.yaml:11:41: a volume needs its `target`",
    'compose.yaml:12:16: "lots" is no amount of memory',
    "compose.yaml:13:14: a quote of this command is not closed",
    'compose.yaml:14:12: "many" is no number of replicas',
    "compose.yaml:15:12: ./nowhere does not exist",
    "compose.yaml:16:15: there is no config none",
    "compose.yaml:17:3: db has neither `image` nor `build`",
    "compose.yaml:18:10: the service cache is a map",
    "compose.yaml:19:1: compose has no `volumez`",
  ]);
});

const broken: readonly (readonly [text: string, problem: RegExp])[] = [
  ["", /^compose\.yaml:1:1: the file is empty$/],
  ["- a\n", /^compose\.yaml:1:1: the file holds no map of keys and values$/],
  ["services:\n\tweb:\n", /^compose\.yaml:2:1: a tab indents this line/],
  ["services: [a]\n", /^compose\.yaml:1:1: services is a map$/],
  ["name: x\n", /^there are no services$|: there are no services$/],
  [
    "services:\n  a: { image: x, extends: { service: b } }\n  b: { image: x, extends: a }\n",
    /services extend each other: a → b → a|b → a → b/,
  ],
  ["services:\n  a: { image: x, extends: { file: gone.yaml, service: b } }\n", /gone\.yaml does not exist$/],
  [
    "services:\n  a: { image: x, depends_on: [b] }\n  b: { image: x, depends_on: [a] }\n",
    /^compose\.yaml:[23]:3: what this becomes is refused: services wait for each other/,
  ],
  [
    "services:\n  a: { image: 'x y' }\n",
    /^compose\.yaml:2:3: what this becomes is refused: "x y" is neither a path nor an image/,
  ],
  [
    "services:\n  a: { image: x, ports: ['80:80'] }\n  b: { image: x, ports: ['80:81'] }\n",
    /^compose\.yaml:3:3: what this becomes is refused: host port 80 is published by a too$/,
  ],
];

for (const [text, problem] of broken) {
  test(`refused: ${JSON.stringify(text)}`, async () => {
    const [first = "", ...more] = await problemsOf(text);
    assert.match(first, problem);
    assert.ok(more.length <= 1, more.join("\n"));
  });
}
