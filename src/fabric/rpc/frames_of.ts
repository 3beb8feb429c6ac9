import { DecodeError } from "../../core/bytes/mod.ts";
import type { Stream } from "../../htx/mod.ts";
import type { Frame } from "./frame.ts";
import type { FrameDecoder } from "./frame_decoder.ts";

/** A stream that says little costs little memory. */
const FIRST_READ_BYTES = 4_096;
const READ_BYTES = 65_536;

/**
 * Frames of a stream until its end; a body borrows from a buffer that is read into again.
 *
 * @throws {DecodeError} If a frame is malformed, or cut short by the end.
 * @throws {HtxError} If the stream or its session fails.
 */
export async function* framesOf<Type extends string>(
  stream: Stream,
  decoder: FrameDecoder<Type>,
): AsyncIterableIterator<Frame<Type>> {
  for await (const frames of readsOf(stream, decoder)) yield* frames;
}

/**
 * The same, but for each read all that it made whole, to be taken before the next: what comes together can be dealt with together.
 *
 * @throws As {@link framesOf}, and the iterables when they are gone through.
 */
export async function* readsOf<Type extends string>(
  stream: Stream,
  decoder: FrameDecoder<Type>,
): AsyncIterableIterator<Iterable<Frame<Type>>> {
  let buffer = new Uint8Array(FIRST_READ_BYTES);
  for (;;) {
    yield decoder;
    const length = await stream.read(buffer);
    if (length === null) break;
    decoder.push(buffer.subarray(0, length));
    if (length === buffer.length && length < READ_BYTES) {
      buffer = new Uint8Array(4 * length);
    }
  }
  if (decoder.isInside) throw new DecodeError("fabric frame", "cut short");
}
