import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isSoak } from "../e2e/soak.ts";
import { socket, subject } from "./docker-subject.ts";
import { testFaults } from "./test-faults.ts";

if (socket === undefined) test("faults at every call, docker", { skip: "missing: Docker Engine" });
else {
  testFaults("docker", subject);
  // An `ssh` whose process was killed ends by itself, 30 s later.
  if (isSoak) after(() => sleep(35_000));
}
