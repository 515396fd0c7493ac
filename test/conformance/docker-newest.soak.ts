import { after, describe, test } from "node:test";
import { conformance } from "@ctrlplane/conformance";
import type { Endpoint } from "@ctrlplane/images";
import { dockerHarness } from "../../packages/providers/docker/src/conformance-harness.test.support.ts";
import { removeHost } from "../engines/hosts.ts";
import { startNewestHost } from "../engines/newest.ts";
import { dockerDeviations as deviations } from "./docker-deviations.ts";

// Engines from 29 on, which keep images in containerd's own store. Built from source, so in the long runs alone.
const name = `ctrlplane-newest-${process.pid}`;
const { address, key, hostKey } = await startNewestHost(name);
after(() => removeHost(name));
const endpoint: Endpoint = { kind: "ssh", host: address, user: "deploy", key, hostKey, sudo: true };
const harness = () => dockerHarness(endpoint, address);
conformance({ name: "the newest docker over SSH", harness, runner: { describe, test }, deviations });
