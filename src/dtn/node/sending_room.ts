import type { Neighbour } from "./neighbour.ts";

/** Bytes of bundles that may be under way over all contacts together. */
const MAX_UNDER_WAY_BYTES = 33_554_432;
/** Over those that have told no outcome yet, so that who takes bundles and says nothing leaves room for who does. */
const MAX_UNTOLD_BYTES = MAX_UNDER_WAY_BYTES / 2;
/** A bundle of this size at most may be under way over any contact, however many are over others. */
const SMALL_BYTES = 65_536;

/**
 * The room that the contacts with all neighbours share for what is under way.
 *
 * None takes more than is left for the others, so that many get equal parts. All of them hold {@link MAX_UNDER_WAY_BYTES} at most, the
 * bundle that reached it, and a small one for each contact.
 */
export class SendingRoom {
  #bytes = 0;

  /** Bytes under way. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a bundle of `size` bytes may leave over a contact. */
  has(neighbour: Neighbour, size: number): boolean {
    const { sendingBytes, hasAnswered } = neighbour;
    if (sendingBytes === 0 && size <= SMALL_BYTES) return true;
    const max = hasAnswered ? MAX_UNDER_WAY_BYTES : MAX_UNTOLD_BYTES;
    return this.#bytes < max && sendingBytes < max - this.#bytes;
  }

  /** A bundle is under way from now on. */
  take(bytes: number): void {
    this.#bytes += bytes;
  }

  /** It is not any more. */
  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}
