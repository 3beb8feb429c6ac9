import { PRIORITIES, type Priority } from "../message/message.ts";
import { SlotMap } from "../slot_map.ts";

/** Turns of each class while all have something waiting. */
const WEIGHT: Readonly<Record<Priority, number>> = {
  low: 1,
  normal: 2,
  high: 4,
  critical: 8,
};

/** What waits in a {@link PriorityLanes}. */
export interface Waiting {
  /** Its name. */
  readonly id: string;
  /** Its class. */
  readonly priority: Priority;
}

/**
 * What waits for one agent, first come, first served within a class. Of classes that have something waiting, critical gets eight turns
 * where high gets four, normal two and low one (smooth weighted round robin): none starves.
 */
export class PriorityLanes<T extends Waiting> {
  readonly #lanes = new Map<Priority, SlotMap<T>>(
    PRIORITIES.map((priority) => [priority, new SlotMap()]),
  );
  readonly #credit = new Map<Priority, number>(
    PRIORITIES.map((priority) => [priority, 0]),
  );
  #size = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Lets `item` wait, last of its class. */
  push(item: T): void {
    this.#lane(item.priority).set(item.id, item);
    this.#size++;
  }

  /** Lets `item` wait no longer; says whether it did. */
  delete(item: Waiting): boolean {
    const isHere = this.#lane(item.priority).delete(item.id);
    if (isHere) this.#size--;
    return isHere;
  }

  /** Takes what is next. */
  shift(): T | undefined {
    let total = 0;
    let best: Priority | undefined;
    for (const [priority, lane] of this.#lanes) {
      if (lane.size === 0) {
        this.#credit.set(priority, 0);
        continue;
      }
      total += WEIGHT[priority];
      const credit = this.#credit.get(priority)! + WEIGHT[priority];
      this.#credit.set(priority, credit);
      if (best === undefined || credit >= this.#credit.get(best)!) {
        best = priority;
      }
    }
    if (best === undefined) return undefined;
    this.#credit.set(best, this.#credit.get(best)! - total);
    const lane = this.#lane(best);
    const item = lane.get(lane.firstKey()!)!;
    this.delete(item);
    return item;
  }

  #lane(priority: Priority): SlotMap<T> {
    return this.#lanes.get(priority)!;
  }
}
