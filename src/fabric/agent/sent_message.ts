import type { Bytes } from "../../core/bytes/mod.ts";

/** A message that was accepted for delivery. */
export interface SentMessage {
  /** Its id, 16 bytes. */
  readonly id: Bytes;
  /** Resolves when it is settled: `undefined` if its handler is done with it, else why not. */
  readonly settled: Promise<string | undefined>;
}

/** A message that was sent again. */
export interface ResentMessage extends SentMessage {
  /** The value of the answer, if it is a request; rejects as `request()` does. */
  readonly answer?: Promise<unknown>;
}
