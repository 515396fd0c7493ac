import { test } from "node:test";
import { dockerSocket } from "../engines/docker.ts";
import { dockerPlatform } from "./docker-platform.ts";
import { testLoad } from "./test-load.ts";

const socket = await dockerSocket();
if (socket === undefined) test("docker under load", { skip: "missing: Docker Engine" });
else testLoad(dockerPlatform(socket));
