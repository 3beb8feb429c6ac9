import { type Bytes, concat, Reader, utf8, Writer } from "../core/bytes/mod.ts";
import { StorageError, type Store } from "../core/storage/mod.ts";

/** Bounds of {@link MixDecisions}. */
export interface MixDecisionLimits {
  /** Most decisions remembered; beyond, the oldest is forgotten. */
  readonly maxCount: number;
  /** How long each is, in milliseconds. */
  readonly keepMs: number;
}

interface Decision {
  readonly code: number;
  readonly expiresMs: number;
}

const PREFIX = utf8("d");

/** What was decided about transfers, so that who sends one again, over a restart of ours too, gets the same answer and the node nothing. */
export class MixDecisions {
  readonly #store: Store;
  readonly #limits: MixDecisionLimits;
  /** By transfer id in hex, the oldest first. */
  readonly #decisions = new Map<string, Decision>();
  #storeFailures = 0;

  /** Takes what the store holds. */
  constructor(store: Store, limits: MixDecisionLimits) {
    this.#store = store;
    this.#limits = limits;
    const entries = [...store.entries(PREFIX)].map(({ key, value }) => {
      const reader = new Reader(value, "mix decision");
      const expiresMs = Number(reader.u64());
      const hex = key.subarray(PREFIX.length).toHex();
      return { hex, expiresMs, code: reader.u8() };
    });
    entries.sort((a, b) => a.expiresMs - b.expiresMs);
    for (const { hex, ...decision } of entries) {
      this.#decisions.set(hex, decision);
    }
    this.#trim();
  }

  /** Times that the store did not keep or forget one: it is known until this process ends, or again after. */
  get storeFailures(): number {
    return this.#storeFailures;
  }

  /** The code that answered a transfer, if it is remembered. */
  get(transferId: Uint8Array): number | undefined {
    return this.#decisions.get(transferId.toHex())?.code;
  }

  /** Remembers the code that answers a transfer. */
  set(transferId: Bytes, code: number, wallMs: number): void {
    const expiresMs = Math.ceil(wallMs + this.#limits.keepMs);
    this.#decisions.set(transferId.toHex(), { code, expiresMs });
    this.#trim();
    this.#attempt(() =>
      this.#store.set(
        concat(PREFIX, transferId),
        new Writer(9).u64(BigInt(expiresMs)).u8(code).finish(),
      )
    );
  }

  /** Forgets those whose time is over. */
  tick(wallMs: number): void {
    for (const [hex, { expiresMs }] of this.#decisions) {
      if (expiresMs > wallMs) return;
      this.#forget(hex);
    }
  }

  #trim(): void {
    for (const hex of this.#decisions.keys()) {
      if (this.#decisions.size <= this.#limits.maxCount) return;
      this.#forget(hex);
    }
  }

  #forget(hex: string): void {
    this.#decisions.delete(hex);
    const key = concat(PREFIX, Uint8Array.fromHex(hex));
    this.#attempt(() => void this.#store.delete(key));
  }

  #attempt(change: () => void): void {
    try {
      change();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#storeFailures++;
    }
  }
}
