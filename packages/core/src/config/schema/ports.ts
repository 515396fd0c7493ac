import { isIP } from "node:net";
import * as z from "zod";
import type { PortSpec, Protocol } from "../../model/resources.ts";
import { field, noted, refuse, requiredField } from "./notes.ts";
import { integer, text, word } from "./scalars.ts";

export const portNumber = (expected: string) => integer({ expected, min: 1, max: 65535 });

/** `3000`, `8080:3000`, `127.0.0.1:5432:5432`, `[::1]:8080:80`, each with `/udp`, `/tcp` or `/http` behind. */
function parsePort(declared: string, context: z.core.$RefinementCtx): PortSpec {
  const no = (summary: string, hint?: string) => refuse(context, { code: "wrong-value", summary, hint });
  const [, numbers = "", suffix] = /^(.*?)(?:\/([a-z]+))?$/.exec(declared) ?? [];
  if (suffix !== undefined && !isProtocol(suffix))
    return no(`the protocol ${suffix} is not known`, "It is http, tcp or udp.");
  const [, address, host, container] = split(numbers);
  if (container === undefined) {
    const hint = /\d-\d/.test(numbers)
      ? "Write each port of the range as an item of its own."
      : "Write 3000, 8080:3000, 127.0.0.1:5432:5432, [::1]:8080:80 or 53:53/udp.";
    return no(`${JSON.stringify(declared)} is no port`, hint);
  }
  if (address !== undefined && isIP(address) === 0)
    return no(`${address} is no IP address`, "Publish at an address of the host, e.g. 127.0.0.1:8080:3000.");
  for (const number of [host, container]) {
    if (number !== undefined && (Number(number) < 1 || Number(number) > 65535))
      return no(`the port ${number} is not between 1 and 65535`);
  }
  return {
    containerPort: Number(container),
    // As in pctl 1.1, a port alone is also the host's.
    hostPort: Number(host ?? container),
    protocol: suffix !== undefined && isProtocol(suffix) ? suffix : "auto",
    ...(address === undefined ? {} : { address }),
  };
}

function split(numbers: string): [string, string | undefined, string | undefined, string | undefined] {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):(\d+):(\d+)|(?:(\d+):)?(\d+))$/.exec(numbers);
  if (match === null) return [numbers, undefined, undefined, undefined];
  const [, six, four, host, container, onlyHost, onlyContainer] = match;
  return [numbers, six ?? four, host ?? onlyHost, container ?? onlyContainer];
}

function isProtocol(name: string): name is Protocol {
  return name === "http" || name === "tcp" || name === "udp";
}

const portText = noted(
  z
    .union([z.number().meta({ type: "integer", minimum: 1, maximum: 65535 }), z.string()])
    .transform((declared, context) => parsePort(String(declared).trim(), context)),
  { expected: "a port such as 3000 or 8080:3000" },
);

const ipAddress = text({ expected: "an IP address" }).superRefine((value, context) => {
  if (isIP(value) === 0) refuse(context, { code: "wrong-value", summary: `${value} is no IP address` });
});

const portFields = noted(
  z.strictObject({
    containerPort: requiredField(portNumber("a port"), {
      description: "Port that the program listens on.",
      example: "9090",
    }),
    hostPort: field(portNumber("a port"), {
      description: "Port of the host that leads to it.",
      default: "none, so that only other services reach it",
    }),
    protocol: field(word(["http", "tcp", "udp"]), {
      description: "What is spoken on it.",
      default: "decided for each connection by the client's first bytes; none within a second is tcp",
    }),
    address: field(ipAddress, {
      description: "Address of the host to publish at.",
      default: "all",
      example: "10.0.0.2",
    }),
  }),
  {
    expected: "a map with containerPort",
    counterparts: {
      target: "Write `containerPort`.",
      published: "Write `hostPort`.",
      host_ip: "Write `address`.",
      hostIP: "Write `address`.",
      targetPort: "Write `containerPort`.",
      port: "Write `containerPort`, and `hostPort` to publish it.",
      nodePort: "Write `hostPort`.",
      mode: "Remove it: `hostPort` publishes.",
      name: "Remove it: a port is known by its `containerPort`.",
      app_protocol: "Write `protocol`.",
      host: "Write `hostPort`.",
      container: "Write `containerPort`.",
      ip: "Write `address`.",
    },
  },
);

const portMap = portFields.transform((declared, context): PortSpec => {
  const { containerPort, hostPort, protocol = "auto", address } = declared;
  // A hostPort that could not be resolved is there, without a value.
  if (address !== undefined && !Object.hasOwn(declared, "hostPort"))
    return refuse(context, {
      code: "wrong-value",
      summary: "address says where to publish, but there is no hostPort",
      hint: "Add `hostPort`, or remove `address`.",
    });
  return {
    containerPort,
    protocol,
    ...(hostPort === undefined ? {} : { hostPort }),
    ...(address === undefined ? {} : { address }),
  };
});

export const port = z.union([portText, portMap]);
