import assert from "node:assert/strict";
import { test } from "node:test";
import { isUnstarted } from "./container.ts";

test("a gateway that was made and not started is told from one that runs, by what a list says of both", () => {
  assert.equal(isUnstarted({ State: "created", Status: "Created" }), true);
  // What an engine says of one over whose start it was killed: time.Since of the year 1 ends at 292 years.
  assert.equal(isUnstarted({ State: "running", Status: "Up 292 years" }), true);
  assert.equal(isUnstarted({ State: "running", Status: "Up 10 years (healthy)" }), false);
  assert.equal(isUnstarted({ State: "running", Status: "Up Less than a second" }), false);
  assert.equal(isUnstarted({ State: "exited", Status: "Exited (137) 2 seconds ago" }), false);
});
