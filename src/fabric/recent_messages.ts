import type { Message } from "./message/message.ts";

/**
 * Messages that were written a moment ago and are read once soon, so that they need be neither read back nor decoded: the newest, up to
 * a bound of bytes. They are in the store too.
 */
export class RecentMessages {
  readonly #maxBytes: number;
  readonly #messages = new Map<number, Message>();
  #bytes = 0;

  /** Holds at most `maxBytes`; 8 MiB by default. */
  constructor(maxBytes: number = 8 * 1024 * 1024) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are held, about: payloads, and 512 a message for the rest. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Holds a message, as `encoded` has it, by its sequence; the oldest give way. */
  put(sequence: number, message: Message, encoded: Uint8Array): void {
    this.take(sequence);
    if (costOf(message) > this.#maxBytes) return;
    // The payload, which comes last, is the caller's and may change.
    const payload = encoded.subarray(encoded.length - message.payload.length);
    const metadata = new Map(message.metadata);
    this.#messages.set(sequence, { ...message, metadata, payload });
    this.#bytes += costOf(message);
    for (const oldest of this.#messages.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.take(oldest);
    }
  }

  /** The message of a sequence, which is held no longer. */
  take(sequence: number): Message | undefined {
    const message = this.#messages.get(sequence);
    if (!message) return undefined;
    this.#messages.delete(sequence);
    this.#bytes -= costOf(message);
    return message;
  }
}

/** What a message takes beside its payload, about. */
const ENTRY_BYTES = 512;

function costOf({ payload }: Message): number {
  return payload.length + ENTRY_BYTES;
}
