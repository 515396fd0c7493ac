import { strict as assert } from "node:assert";
import { test } from "node:test";
import { checkOptions, dataFolder } from "./options.ts";

const environment = (env: Record<string, string>) => ({ name: "local", folder: "/srv/shop", env });

test("`dir` is the one option", () => {
  assert.deepEqual(checkOptions({}), []);
  assert.deepEqual(checkOptions({ dir: "./data" }), []);
  assert.deepEqual(
    checkOptions({ dri: "x", dir: 5 }).map((each) => [each.field, each.code]),
    [
      ["options.dri", "unknown-option"],
      ["options.dir", "invalid-option"],
    ],
  );
});

test("the data folder: option, PCTL_LOCAL_DIR, XDG_DATA_HOME, home", () => {
  const env = { HOME: "/home/ada", XDG_DATA_HOME: "/xdg", PCTL_LOCAL_DIR: "/override" };
  assert.equal(dataFolder({ dir: "data" }, environment(env)), "/srv/shop/data");
  assert.equal(dataFolder({ dir: "~/apps" }, environment(env)), "/home/ada/apps");
  assert.equal(dataFolder({}, environment(env)), "/override");
  assert.equal(dataFolder({}, environment({ HOME: "/home/ada", XDG_DATA_HOME: "/xdg" })), "/xdg/pctl/local");
  assert.equal(
    dataFolder({}, environment({ HOME: "/home/ada", XDG_DATA_HOME: "relative" })),
    "/home/ada/.local/share/pctl/local",
  );
});
