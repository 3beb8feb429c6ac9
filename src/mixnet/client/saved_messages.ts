import { type Bytes, concat, Reader, Writer } from "../../core/bytes/mod.ts";
import { StorageError, type Store } from "../../core/storage/mod.ts";
import { MixClientError } from "./error.ts";
import {
  decodeMixAddress,
  encodeMixAddress,
  MIX_ADDRESS_LENGTH,
  type MixAddress,
} from "./mix_address.ts";

const KEY = Uint8Array.of("o".charCodeAt(0));

/** A message that is not acknowledged yet. */
export interface SavedMessage {
  /** Where it goes. */
  readonly to: MixAddress;
  /** What it says. */
  readonly bytes: Bytes;
  /** When to give up, in milliseconds since 1970. */
  readonly deadlineWallMs: number;
}

/**
 * Messages that are being sent, so that who starts again with the same {@link Store} goes on under the same id, by which the recipient
 * knows copies: key `o` ‖ id 16, value address 96 ‖ deadline u64 ‖ message.
 */
export class SavedMessages {
  readonly #store: Store;

  /** Reads nothing yet. */
  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Saves a message.
   *
   * @throws {MixClientError} `queue_full` if the store is.
   */
  set(messageId: Bytes, { to, bytes, deadlineWallMs }: SavedMessage): void {
    const w = new Writer(MIX_ADDRESS_LENGTH + 8 + bytes.length);
    w.put(encodeMixAddress(to)).u64(BigInt(deadlineWallMs)).put(bytes);
    try {
      this.#store.set(concat(KEY, messageId), w.finish());
    } catch (cause) {
      if (!(cause instanceof StorageError && cause.code === "full")) {
        throw cause;
      }
      throw new MixClientError("queue_full", { cause });
    }
  }

  /** Forgets it: it is acknowledged or given up. */
  delete(messageId: Uint8Array): void {
    this.#store.delete(concat(KEY, messageId));
  }

  /** All of them. */
  all(): (SavedMessage & { readonly messageId: Bytes })[] {
    return [...this.#store.entries(KEY)].map(({ key, value }) => {
      const r = new Reader(value, "saved message");
      return {
        messageId: key.slice(KEY.length),
        to: decodeMixAddress(r.take(MIX_ADDRESS_LENGTH)),
        deadlineWallMs: Number(r.u64()),
        bytes: new Uint8Array(r.rest()),
      };
    });
  }
}
