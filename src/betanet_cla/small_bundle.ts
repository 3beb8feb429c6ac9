import type { Bytes } from "../core/bytes/mod.ts";
import type { cla } from "../dtn/mod.ts";

/** What takes room until the node has decided. */
export interface Held {
  /** Gives the room back; may be called again. */
  free(): void;
}

/** A bundle that came whole by datagram. */
export class SmallBundle implements Held {
  readonly #room: cla.Window;
  readonly #budget: cla.ByteBudget;
  #length: number | undefined;

  private constructor(
    length: number,
    room: cla.Window,
    budget: cla.ByteBudget,
  ) {
    this.#length = length;
    this.#room = room;
    this.#budget = budget;
  }

  /** Holds `bytes` of room, `undefined` if there is not as much. */
  static hold(
    { length }: Bytes,
    room: cla.Window,
    budget: cla.ByteBudget,
  ): SmallBundle | undefined {
    if (!room.tryEnter(length)) return undefined;
    if (budget.take(length)) return new SmallBundle(length, room, budget);
    room.leave(length);
    return undefined;
  }

  /** As {@link Held.free}. */
  free(): void {
    if (this.#length === undefined) return;
    this.#room.leave(this.#length);
    this.#budget.give(this.#length);
    this.#length = undefined;
  }
}
