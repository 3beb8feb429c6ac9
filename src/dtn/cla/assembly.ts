import type { Bytes } from "../../core/bytes/mod.ts";
import type { ByteBudget } from "./byte_budget.ts";

const MIN_ROOM_BYTES = 4_096;
const NO_ROOM: Bytes = new Uint8Array();

/** A bundle that grows as its data come, never more than twice ahead of them, whatever length was announced. */
export class Assembly {
  readonly #budget: ByteBudget;
  #room: Bytes = NO_ROOM;
  #length = 0;

  /** Starts empty; room is taken of `budget`. */
  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** Bytes that came. */
  get length(): number {
    return this.#length;
  }

  /** Bytes taken of the budget. */
  get taken(): number {
    return this.#room.length;
  }

  /**
   * Appends `data`, and says whether there was room in the budget.
   *
   * @param expected Bytes that the bundle is expected to have at least, these included.
   */
  append(data: Uint8Array, expected: number): boolean {
    const length = this.#length + data.length;
    if (length > this.#room.length && !this.#grow(length, expected)) {
      return false;
    }
    this.#room.set(data, this.#length);
    this.#length = length;
    return true;
  }

  /** The bundle; {@link free} gives its room back to the budget. */
  finish(): Bytes {
    return this.#length === this.#room.length
      ? this.#room
      : this.#room.slice(0, this.#length);
  }

  /** Gives the room back to the budget, once. */
  free(): void {
    this.#budget.give(this.#room.length);
    this.#room = NO_ROOM;
    this.#length = 0;
  }

  #grow(length: number, expected: number): boolean {
    const size = Math.min(
      Math.max(length, expected),
      Math.max(2 * length, MIN_ROOM_BYTES),
    );
    if (!this.#budget.take(size - this.#room.length)) return false;
    const room = new Uint8Array(size);
    room.set(this.#room.subarray(0, this.#length));
    this.#room = room;
    return true;
  }
}
