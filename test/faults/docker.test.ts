import { test } from "node:test";
import { socket, subject } from "./docker-subject.ts";
import { testFaults } from "./test-faults.ts";

if (socket === undefined) test("faults at every call, docker", { skip: "missing: Docker Engine" });
else testFaults("docker", subject);
