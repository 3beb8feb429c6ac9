import type { Address } from "../core/transport/mod.ts";
import { NetworkTally } from "./network_tally.ts";
import { addressPrefix } from "./token_bucket.ts";

/** Limits of a {@link WaitingRoom}. */
export interface WaitingRoomLimits {
  /** Most visitors at once. */
  readonly max: number;
  /** Most visitors of one network, see {@link addressPrefix}. */
  readonly maxPerNetwork: number;
}

interface Visitor {
  readonly network: string;
  readonly sendAway: () => void;
}

/**
 * Those whose first request is not whole yet. When a limit is reached the oldest gives way to the newcomer, the oldest of its
 * own network first: whoever has something to say says it at once, and who is silent loses his place.
 */
export class WaitingRoom {
  readonly #limits: WaitingRoomLimits;
  readonly #tally = new NetworkTally();
  readonly #visitors = new Set<Visitor>();

  /** Starts empty. */
  constructor(limits: WaitingRoomLimits) {
    this.#limits = limits;
  }

  /**
   * Takes in a visitor until the result is disposed.
   *
   * @param sendAway Called at most once, when the visitor has to give way; the place is free then.
   */
  enter(address: Address, sendAway: () => void): Disposable {
    const visitor = { network: addressPrefix(address), sendAway };
    const { max, maxPerNetwork } = this.#limits;
    if (this.#tally.of(visitor.network) >= maxPerNetwork) {
      this.#evict(({ network }) => network === visitor.network);
    } else if (this.#visitors.size >= max) this.#evict(() => true);
    this.#visitors.add(visitor);
    this.#tally.add(visitor.network);
    return { [Symbol.dispose]: () => this.#leave(visitor) };
  }

  #evict(isMeant: (visitor: Visitor) => boolean): void {
    const oldest = this.#visitors.values().find(isMeant);
    if (!oldest) return;
    this.#leave(oldest);
    oldest.sendAway();
  }

  #leave(visitor: Visitor): void {
    if (this.#visitors.delete(visitor)) this.#tally.remove(visitor.network);
  }
}
