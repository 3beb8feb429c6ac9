import { type Bytes, concat } from "../../core/bytes/mod.ts";
import { StorageError, type Store } from "../../core/storage/mod.ts";

const KEY = Uint8Array.of("r".charCodeAt(0));

/**
 * Replies that are under way, so that who starts again with the same {@link Store} goes on when the requester asks again: key `r` ‖ id
 * of the message 16, value the reply.
 */
export class SavedReplies {
  readonly #store: Store;

  /** Reads nothing yet. */
  constructor(store: Store) {
    this.#store = store;
  }

  /** Saves a reply; `false` if the store is full. */
  set(messageId: Uint8Array, bytes: Bytes): boolean {
    try {
      this.#store.set(concat(KEY, messageId), bytes);
    } catch (error) {
      if (!(error instanceof StorageError && error.code === "full")) {
        throw error;
      }
      return false;
    }
    return true;
  }

  /** Forgets it: the requester has it, or it expired. */
  delete(messageId: Uint8Array): void {
    this.#store.delete(concat(KEY, messageId));
  }

  /** All of them. */
  all(): { readonly messageId: Bytes; readonly bytes: Bytes }[] {
    return [...this.#store.entries(KEY)].map(({ key, value }) => ({
      messageId: key.slice(KEY.length),
      bytes: value,
    }));
  }
}
