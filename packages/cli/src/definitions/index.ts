import type { Grammar } from "../arguments/definition.ts";
import { changeCommands } from "./change.ts";
import { globalOptions } from "./globals.ts";
import { lookCommands } from "./look.ts";
import { projectCommands, upkeepCommands } from "./project.ts";

/** All that `pctl` understands. */
export const grammar: Grammar = {
  sections: [
    ["Begin", projectCommands],
    ["Change", changeCommands],
    ["Look", lookCommands],
    ["Keep up", upkeepCommands],
  ],
  globals: globalOptions,
};
