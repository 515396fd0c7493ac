import type { FolderSurvey, FoundService } from "./survey.ts";

const example: FoundService = { name: "web", command: ["node", "server.js"], port: 3000 };

/** A first `pctl.yaml`: what was found, and in comments what most people add next. */
export function writeDeclaration(name: string, found: FolderSurvey): string {
  const services = found.services.length === 0 ? [example] : found.services;
  const lines = [
    `name: ${name}`,
    "provider: local            # processes on this machine, nothing to install; pctl providers lists what there is",
    ...hints(found),
    "services:",
    ...services.flatMap((service, index) => [...(index === 0 ? [] : [""]), ...writeService(service, index)]),
    "",
    "# environments:            # pctl deploy --env staging",
    "#   production: {}",
    `#   staging: { services: { ${services[0]?.name ?? example.name}: { scale: { replica: 1 } } } }`,
  ];
  return `${lines.join("\n")}\n`;
}

function hints(found: FolderSurvey): string[] {
  const lines: string[] = [];
  if (found.services.length === 0) lines.push("# Nothing here says how to start it: put the right command below.");
  if (found.dockerfile)
    lines.push("# The Dockerfile is for providers that run containers; `local` runs the command as it stands here.");
  if (found.compose !== undefined) {
    lines.push(`# From ${found.compose}: depends_on is \`needs\`, environment is \`env\`, healthcheck is \`health\`.`);
  }
  return lines;
}

function writeService(service: FoundService, index: number): string[] {
  const lines = [
    `  ${service.name}:`,
    "    image: .               # this folder, copied when deployed, so that a rollback brings it back",
    `    command: ${writeCommand(service.command)}`,
  ];
  if (service.port !== undefined)
    lines.push(`    ports: ["8080:${service.port}"]   # reached at 8080; each replica is told its own port in $PORT`);
  if (index > 0) return lines;
  if (service.port !== undefined) {
    lines.push("    # health: { http: /up }  # without it, a replica is healthy once its port opens");
    lines.push("    # scale: { replica: 2 }  # a deploy replaces one after the other, and loses no request");
  }
  lines.push("    # env: { LOG_LEVEL: info }");
  lines.push("    # secrets: [API_KEY]     # from the environment, --env-file or .env; never printed");
  return lines;
}

function writeCommand(command: FoundService["command"]): string {
  return typeof command === "string"
    ? JSON.stringify(command)
    : `[${command.map((word) => (/^[\w./-]+$/.test(word) ? word : JSON.stringify(word))).join(", ")}]`;
}
