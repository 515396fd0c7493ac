/** One command on a declaration. */
export interface Step {
  readonly command:
    | "deploy"
    | "destroy"
    | "rollback"
    | "scale"
    | "stop"
    | "start"
    | "restart"
    | "rebuild"
    | "unlock"
    | "promote"
    | "abort";
  /** Entries of `services`, as flow YAML. */
  readonly services: string;
  readonly atomic?: boolean;
  /** What it ends with where nothing strikes. Default 0. */
  readonly exitCode?: number;
  /** How long to wait for a lease that others keep renewing. */
  readonly lockWaitMs?: number;
}

export interface Scenario {
  readonly name: string;
  /** Carried out whole before. */
  readonly before: readonly Step[];
  /** What the fault strikes. */
  readonly during: Step;
  /** Each fault is followed by one of these. */
  readonly nexts: readonly Next[];
}

/** The one plain command that puts all right. */
export interface Next {
  readonly step: Step;
  /** What runs then: `name image`, each once. */
  readonly runs: readonly string[];
}

const web = (image: string, strategy: string, more = ""): string =>
  `web: { image: "${image}", ports: [8080:3000], scale: { replica: 2 }, strategy: { type: ${strategy}, timeout: 5s, drain: 1s }${more} }`;
const deploy = (services: string): Step => ({ command: "deploy", services });
const two = (image: string, name = "shop-web"): string[] => [`${name}-1 ${image}`, `${name}-2 ${image}`];

const deploys = (["recreate", "rolling", "blue_green"] as const).map((strategy): Scenario => ({
  name: `deploy, ${strategy}`,
  before: [deploy(web("ok:1", strategy))],
  during: deploy(web("ok:2", strategy)),
  nexts: [{ step: deploy(web("ok:2", strategy)), runs: two("ok:2") }],
}));

const one = web("ok:1", "recreate");
const second = web("ok:2", "recreate");
const operations = (["scale", "stop", "restart", "rollback"] as const).map((command): Scenario => ({
  name: command,
  before: [deploy(one), deploy(second)],
  during: { command, services: second },
  nexts: [
    { step: deploy(second), runs: two("ok:2") },
    { step: deploy(web("ok:3", "recreate")), runs: two("ok:3") },
    { step: { command: "destroy", services: second }, runs: [] },
  ],
}));

const paused: Step = { ...deploy(web("ok:2", "canary")), exitCode: 4 };
const canaries = [
  paused,
  ...(["promote", "abort"] as const).map((command): Step => ({ ...paused, command, exitCode: 0 })),
].map((during): Scenario => ({
  name: `canary, ${during.command}`,
  before: [deploy(web("ok:1", "canary")), ...(during === paused ? [] : [paused])],
  during,
  // A declaration of another release ends what is paused; the same one would leave it so.
  nexts: [{ step: deploy(web("ok:3", "rolling")), runs: two("ok:3") }],
}));

const plain = (image: string, more = ""): string => `{ image: "${image}", strategy: recreate${more} }`;

export const scenarios: readonly Scenario[] = [
  ...deploys,
  ...canaries,
  {
    name: "first deploy",
    before: [],
    during: deploy(web("ok:1", "rolling")),
    nexts: [{ step: deploy(web("ok:1", "rolling")), runs: two("ok:1") }],
  },
  {
    name: "deploy, taken back",
    before: [deploy(one)],
    during: deploy(second),
    nexts: [{ step: deploy(one), runs: two("ok:1") }],
  },
  {
    name: "deploy of another, rolling",
    before: [deploy(web("ok:1", "rolling"))],
    during: deploy(web("ok:2", "rolling")),
    nexts: [{ step: deploy(web("ok:3", "rolling")), runs: two("ok:3") }],
  },
  {
    name: "deploy that fails",
    before: [deploy(web("ok:1", "rolling"))],
    during: { ...deploy(web("crash:1", "rolling")), exitCode: 3 },
    nexts: [{ step: deploy(web("ok:3", "rolling")), runs: two("ok:3") }],
  },
  ...operations,
  {
    name: "start",
    before: [deploy(second), { command: "stop", services: second }],
    during: { command: "start", services: second },
    nexts: [{ step: deploy(second), runs: two("ok:2") }],
  },
  {
    name: "move",
    before: [deploy(`web: ${plain("ok:1")}`)],
    during: deploy(`web: ${plain("ok:1", ", provider: other")}`),
    nexts: [{ step: deploy(`web: ${plain("ok:1", ", provider: other")}`), runs: ["shop-web ok:1"] }],
  },
  {
    name: "remove",
    before: [deploy(`web: ${plain("ok:1")}, db: ${plain("ok:1")}`)],
    during: deploy(`web: ${plain("ok:1")}`),
    nexts: [{ step: deploy(`web: ${plain("ok:1")}`), runs: ["shop-web ok:1"] }],
  },
  {
    name: "destroy",
    before: [deploy(second)],
    during: { command: "destroy", services: second },
    nexts: [{ step: { command: "destroy", services: second }, runs: [] }],
  },
  {
    name: "destroy, wanted again",
    before: [deploy(second)],
    during: { command: "destroy", services: second },
    nexts: [{ step: deploy(second), runs: two("ok:2") }],
  },
  {
    name: "rebuild",
    before: [deploy(one), deploy(second)],
    during: { command: "rebuild", services: second },
    nexts: [{ step: deploy(second), runs: two("ok:2") }],
  },
  {
    name: "on two providers",
    before: [deploy(`web: ${plain("ok:1", ", provider: [ref, other]")}`)],
    during: deploy(`web: ${plain("ok:2", ", provider: [ref, other]")}`),
    nexts: [
      { step: deploy(`web: ${plain("ok:2", ", provider: [ref, other]")}`), runs: ["shop-web ok:2", "shop-web ok:2"] },
    ],
  },
  {
    name: "atomic, and one fails",
    before: [deploy(`db: ${plain("ok:1")}, web: ${plain("ok:1", ", needs: [db]")}`)],
    during: { ...deploy(`db: ${plain("ok:2")}, web: ${plain("crash:1", ", needs: [db]")}`), atomic: true, exitCode: 3 },
    nexts: [
      {
        step: deploy(`db: ${plain("ok:2")}, web: ${plain("ok:2", ", needs: [db]")}`),
        runs: ["shop-db ok:2", "shop-web ok:2"],
      },
    ],
  },
  {
    name: "job",
    before: [],
    during: deploy(`migrate: { image: "done:20", kind: job }, web: ${plain("ok:1", ", needs: [migrate]")}`),
    nexts: [
      {
        step: deploy(`migrate: { image: "done:20", kind: job }, web: ${plain("ok:1", ", needs: [migrate]")}`),
        runs: ["shop-web ok:1"],
      },
    ],
  },
];
