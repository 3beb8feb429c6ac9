import { type Clock, Deadline } from "../../core/async/mod.ts";
import { closeOnAbort } from "../close_on_abort.ts";
import type { Duplex } from "../duplex.ts";

/** How long a peer may take to accept a short answer. */
const ANSWER_TIMEOUT_MS = 10_000;

/** How long, and for how many bytes, the peer is listened to after our last word. */
const LINGER_MS = 2000;
const LINGER_BYTES = 65_536;

/** Writes a short answer; if the peer does not take it in time or at all, closes and gives `false`. */
export async function answer(
  duplex: Duplex,
  bytes: Uint8Array,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  using deadline = new Deadline(clock, ANSWER_TIMEOUT_MS, { signal });
  using _close = closeOnAbort(deadline.signal, duplex);
  try {
    await duplex.write(bytes);
    return true;
  } catch {
    duplex.close();
    return false;
  }
}

/**
 * Says `bytes` as the last word and closes.
 *
 * What the peer still sends is read and dropped for a while (RFC 9112 §9.6): closing a socket with unread bytes would
 * reset it, and the peer might never see the answer.
 */
export async function farewell(
  duplex: Duplex,
  bytes: Uint8Array,
  clock: Clock,
): Promise<void> {
  using deadline = new Deadline(clock, LINGER_MS);
  using _close = closeOnAbort(deadline.signal, duplex);
  try {
    await duplex.write(bytes);
    await duplex.closeWrite();
    const buffer = new Uint8Array(4096);
    for (let left = LINGER_BYTES; left > 0;) {
      const n = await duplex.read(buffer);
      if (n === null) break;
      left -= n;
    }
  } catch {
    // The peer is gone: nobody is left to hear it.
  } finally {
    duplex.close();
  }
}
