import { platform } from "./local-platform.ts";
import { testLoad } from "./test-load.ts";

testLoad(platform);
