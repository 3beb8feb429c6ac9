import type {
  ContactCost,
  ScheduledBundle,
} from "../../../src/dtn/schedule/scheduler.ts";

/** A bundle of 1 kB for dtn://z/in that never expires, but for `changes`. */
export function waiting(
  id: string,
  changes: Partial<ScheduledBundle> = {},
): ScheduledBundle {
  return {
    ...{ id, destination: "dtn://z/in", size: 1_000, priority: 1 },
    ...{ receivedMs: 0, expiresMs: Infinity },
    ...changes,
  };
}

/** A contact with b that costs nothing, but for `changes`. */
export function contact(changes: Partial<ContactCost> = {}): ContactCost {
  return {
    ...{ peer: "b", bytesPerSecond: 1_000, latencyMs: 0, reliability: 1 },
    ...{ energyPerByte: 0, moneyPerByte: 0, exposure: 0 },
    ...changes,
  };
}
