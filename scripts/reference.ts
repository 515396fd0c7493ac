// `node --conditions=source scripts/reference.ts`: writes docs/pctl-yaml.md anew from the schema that reads the file.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { reference } from "@ctrlplane/core";

export const referenceFile = join(import.meta.dirname, "..", "docs", "pctl-yaml.md");

const introduction = `# All fields of \`pctl.yaml\`

Made from the schema that reads the file, by \`node --conditions=source scripts/reference.ts\`; a test fails where this page is
older than the schema. [The declaration](configuration.md) says what the fields are for. What a provider cannot do, \`pctl check\` refuses with line and reason.

In an editor: \`pctl schema > pctl.schema.json\`, and as the first line of \`pctl.yaml\`
\`# yaml-language-server: $schema=./pctl.schema.json\`, which the YAML extension of VS Code and every editor with yaml-language-server reads.
`;

export function referencePage(): string {
  return `${introduction}\n${reference()}`;
}

if (import.meta.main) writeFileSync(referenceFile, referencePage());
