import { concat, Writer } from "../core/bytes/mod.ts";
import { ContactError, type SendOutcome } from "../dtn/mod.ts";
import { HtxError, type Stream } from "../htx/mod.ts";
import { decodeAnswer, refusalOfReset } from "./answer.ts";

/** Bytes of the head of a bundle's stream: the bundle's length. */
export const HEAD_LENGTH = 8;
/** Set in that length if the bundle's number follows in {@link ID_LENGTH} bytes: it may have come by datagram. */
export const HAS_ID: bigint = 1n << 63n;
/** Bytes of that number. */
export const ID_LENGTH = 4;
/** A bundle up to this size goes in one write with its head. */
const JOIN_BYTES = 16_384;

/**
 * Writes a bundle on a stream of its own: its length in 8 bytes, the bundle, the end.
 *
 * @param id Its number if it went by datagram before.
 * @returns Why the peer does not want it, if it said so before all was written.
 * @throws {HtxError} `closed` or `reset` if the session ended, or the peer reset the stream without a reason.
 */
export async function writeBundle(
  stream: Stream,
  bundle: Uint8Array,
  id?: number,
): Promise<SendOutcome | undefined> {
  const length = BigInt(bundle.length);
  const head = id === undefined
    ? new Writer(HEAD_LENGTH).u64(length).finish()
    : new Writer(HEAD_LENGTH + ID_LENGTH).u64(length | HAS_ID).u32(id).finish();
  return await unlessReset(stream, async () => {
    if (bundle.length <= JOIN_BYTES) await stream.write(concat(head, bundle));
    else {
      await stream.write(head);
      await stream.write(bundle);
    }
    await stream.closeWrite();
    return undefined;
  });
}

/**
 * Waits for the answer to a bundle that was written.
 *
 * @throws {ContactError} `violation` if what the peer says is no answer.
 * @throws {HtxError} `closed` or `reset` if the session ended, or the peer reset the stream without a reason.
 */
export async function readAnswer(stream: Stream): Promise<SendOutcome> {
  return await unlessReset(stream, async () => {
    const buffer = new Uint8Array(2);
    let length = 0;
    while (length < buffer.length) {
      const read = await stream.read(buffer.subarray(length));
      if (read === null) break;
      length += read;
    }
    const outcome = length === 1 ? decodeAnswer(buffer[0]!) : undefined;
    if (outcome) return outcome;
    stream.close();
    throw new ContactError("violation", "Want an answer of one byte");
  });
}

async function unlessReset<T>(
  stream: Stream,
  work: () => Promise<T>,
): Promise<T | SendOutcome> {
  try {
    return await work();
  } catch (error) {
    const isReset = error instanceof HtxError && error.code === "reset";
    const reason = isReset && refusalOfReset(stream.resetCode!);
    if (!reason) throw error;
    return { kind: "refused", reason };
  }
}
