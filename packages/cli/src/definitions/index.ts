import type { Grammar } from "../arguments/parse.ts";
import { changeCommands } from "./change.ts";
import { globalOptions } from "./globals.ts";
import { lookCommands } from "./look.ts";
import { projectCommands, upkeepCommands } from "./project.ts";

/** Commands in the order and under the headings of `pctl --help`. */
export const sections = [
  ["Begin", projectCommands],
  ["Change", changeCommands],
  ["Look", lookCommands],
  ["Keep up", upkeepCommands],
] as const;

export const grammar: Grammar = { commands: sections.flatMap(([, commands]) => commands), globals: globalOptions };
