import { subject } from "./reference-subject.ts";
import { testFaults } from "./test-faults.ts";

testFaults("reference", subject);
