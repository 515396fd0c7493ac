import assert from "node:assert/strict";
import { test } from "node:test";
import { isLasting, isSlow } from "./lasting.ts";

test("what waits for somebody else keeps no short call waiting", () => {
  for (const path of ["/events", "/build", "/images/load", "/images/a/b/push", "/containers/a/wait", "/exec/a/start"]) {
    assert.ok(isLasting({ path }), path);
  }
  assert.ok(isLasting({ path: "/containers/a/logs", query: { follow: true } }));
  assert.ok(isLasting({ path: "/containers/a/stats" }));
});

test("short calls are short", () => {
  for (const path of ["/containers/json", "/containers/create", "/images/a/json", "/exec/a/json", "/volumes/events"]) {
    assert.ok(!isLasting({ path }), path);
  }
  assert.ok(!isLasting({ path: "/containers/a/logs", query: { follow: false } }));
  assert.ok(!isLasting({ path: "/containers/a/stats", query: { stream: false } }));
});

test("the start of a container takes its time", () => {
  assert.ok(isSlow({ method: "POST", path: "/containers/a/start" }));
  for (const path of ["/containers/create", "/volumes/create", "/containers/a/rename"])
    assert.ok(!isSlow({ method: "POST", path }), path);
});
