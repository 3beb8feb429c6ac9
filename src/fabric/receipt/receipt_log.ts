import { type Bytes, concat, utf8 } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { GroupCommit, type Store } from "../../core/storage/mod.ts";
import { type Receipt, type ReceiptState, verifyReceipts } from "./receipt.ts";

/** Parts and limits of a {@link ReceiptLog}. */
export interface ReceiptLogOptions {
  /** Checks signatures. */
  readonly crypto: CryptoProvider;
  /** Keeps the receipts; the log has it for itself. */
  readonly store: Store;
  /** How long receipts are kept, in milliseconds; 30 days by default. */
  readonly keepMs?: number;
}

const KEEP_MS = 30 * 86_400_000;
const SIGNED = utf8("signed:");
const OF = utf8("of:");

/**
 * What others have signed about messages of ours, as they signed it, so that it can be shown to anybody.
 *
 * ```text
 * signed: ‖ SHA-256 of the receipts          the signed receipts
 * of: ‖ 16B message id ‖ SHA-256             (empty)
 * ```
 */
export class ReceiptLog {
  /** Receipts that came, by what they say. */
  readonly counts: Record<ReceiptState, number> = {
    ...{ delivered: 0, handled: 0, refused: 0, expired: 0 },
  };
  readonly #options: ReceiptLogOptions;
  readonly #commits: GroupCommit;

  /** Opens the log in the options' store. */
  constructor(options: ReceiptLogOptions) {
    this.#options = options;
    this.#commits = new GroupCommit(options.store);
  }

  /**
   * Keeps signed receipts, as `verifyReceipts` has read them; resolves once they would be here after the death of the process.
   *
   * @throws {StorageError} `full` if there is no room.
   */
  async add(
    signed: Uint8Array,
    receipts: readonly Receipt[],
    nowMs: number,
  ): Promise<void> {
    const { crypto, store, keepMs = KEEP_MS } = this.#options;
    const digest = crypto.hash("sha256", signed);
    const expiry = { expiresAt: nowMs + keepMs };
    for (const { state } of receipts) this.counts[state]++;
    // One says that it was delivered, and that it was handled, of most messages.
    const ids = new Set(receipts.map(({ id }) => id.toHex()));
    await this.#commits.run(() => {
      store.set(concat(SIGNED, digest), signed, expiry);
      for (const id of ids) {
        store.set(
          concat(OF, Uint8Array.fromHex(id), digest),
          new Uint8Array(),
          expiry,
        );
      }
    });
  }

  /** Signed receipts that have one about a message, in no order. */
  *signed(id: Uint8Array): IterableIterator<Bytes> {
    const { store } = this.#options;
    const prefix = concat(OF, id);
    for (const { key } of store.entries(prefix)) {
      const bytes = store.get(concat(SIGNED, key.subarray(prefix.length)));
      if (bytes) yield bytes;
    }
  }

  /** What is known about a message, oldest first. */
  of(id: Uint8Array): readonly Receipt[] {
    const hex = id.toHex();
    return [...this.signed(id)]
      .flatMap((bytes) => verifyReceipts(this.#options.crypto, bytes))
      .filter((receipt) => receipt.id.toHex() === hex)
      .sort((a, b) => a.atMs - b.atMs);
  }

  /** Every receipt that is kept, as it was signed. */
  *entries(): IterableIterator<Bytes> {
    for (const { value } of this.#options.store.entries(SIGNED)) yield value;
  }

  /** Forgets what has been kept long enough. */
  sweep(nowMs: number): void {
    this.#options.store.sweep(nowMs);
  }
}
