import type { RefusalReason } from "../dtn/mod.ts";

/** How far the number of a datagram's bundle may be from the lowest without an outcome, and how many are remembered. */
export const ID_SPAN = 256;

/** What became of a bundle; no refusal if the node took it. */
export interface Decision {
  /** Why not. */
  readonly refusal: RefusalReason | undefined;
}

interface KnownBundle {
  readonly id: number;
  decision: Decision | undefined;
  tell: ((refusal: RefusalReason | undefined) => void) | undefined;
}

/** The numbers of bundles that came by datagram, so that each is delivered once: the last 256, with what became of them. */
export class KnownBundles {
  readonly #slots: (KnownBundle | undefined)[] = new Array(ID_SPAN);
  #highest = -1;

  /** Remembers the number if it is new; `over` are those that the sender had to have an outcome of. */
  claim(id: number): "new" | "known" | "over" {
    if (id <= this.#highest - ID_SPAN) return "over";
    if (this.#known(id)) return "known";
    this.#highest = Math.max(this.#highest, id);
    this.#slots[id % ID_SPAN] = {
      id,
      decision: undefined,
      tell: undefined,
    };
    return "new";
  }

  /** What became of it, `undefined` if that is open or forgotten. */
  decision(id: number): Decision | undefined {
    return this.#known(id)?.decision;
  }

  /** Calls `tell` with what became of it, now or once that is known; of several the last, as a sender asks on one stream. */
  whenDecided(
    id: number,
    tell: (refusal: RefusalReason | undefined) => void,
  ): void {
    const known = this.#known(id);
    if (known?.decision) tell(known.decision.refusal);
    else if (known) known.tell = tell;
  }

  /** Says what became of it; the first call counts. */
  decide(id: number, refusal: RefusalReason | undefined): void {
    const known = this.#known(id);
    if (!known || known.decision) return;
    known.decision = { refusal };
    known.tell?.(refusal);
    known.tell = undefined;
  }

  #known(id: number): KnownBundle | undefined {
    const known = this.#slots[id % ID_SPAN];
    return known?.id === id ? known : undefined;
  }
}
