import type { Fault } from "../protocol.ts";

interface Armed {
  readonly fault: Fault;
  seen: number;
}

/** The faults that are armed, and which one strikes a call. */
export class Faults {
  private armed: Armed[] = [];

  arm(fault: Fault): void {
    this.armed.push({ fault, seen: 0 });
  }

  clear(): void {
    this.armed = [];
  }

  /** The first armed fault that this call meets; each counts every call that it is meant for. */
  strike(call: string): Fault | undefined {
    let struck: Fault | undefined;
    for (const each of this.armed) {
      const { fault } = each;
      if (fault.call !== call && fault.call !== "*") continue;
      each.seen += 1;
      const first = fault.nth ?? 1;
      if (each.seen >= first && each.seen < first + (fault.times ?? 1)) struck ??= fault;
    }
    return struck;
  }
}
