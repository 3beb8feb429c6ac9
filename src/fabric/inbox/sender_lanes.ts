import { PriorityLanes, type Waiting } from "../outbox/priority_lanes.ts";

/** What waits in {@link SenderLanes}. */
export interface FromSender extends Waiting {
  /** Who sent it. */
  readonly sender: string;
}

/** Messages that wait for their handlers: senders take turns, and of one's own the classes do, as in {@link PriorityLanes}. */
export class SenderLanes<T extends FromSender> {
  readonly #lanes = new Map<string, PriorityLanes<T>>();
  #spare: PriorityLanes<T> | undefined;

  /** Lets `item` wait, last of its sender's class. */
  push(item: T): void {
    let lanes = this.#lanes.get(item.sender);
    if (!lanes) {
      lanes = this.#spare ?? new PriorityLanes();
      this.#spare = undefined;
      this.#lanes.set(item.sender, lanes);
    }
    lanes.push(item);
  }

  /** Takes what is next of a sender that may have a turn. */
  shift(mayGo: (sender: string) => boolean): T | undefined {
    for (const [sender, lanes] of this.#lanes) {
      if (!mayGo(sender)) continue;
      const item = lanes.shift();
      // Behind all others from now on.
      this.#lanes.delete(sender);
      if (lanes.size > 0) this.#lanes.set(sender, lanes);
      else this.#spare = lanes;
      return item;
    }
  }
}
