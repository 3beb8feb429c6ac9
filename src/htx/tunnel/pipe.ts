import { HtxError } from "../error.ts";
import type { Duplex } from "../duplex.ts";
import { openTarget, type StreamOpener } from "./open.ts";
import { splice, type SpliceOptions, type SpliceResult } from "../splice.ts";
import type { Target } from "./target.ts";

/** Two byte streams, such as standard input and output. */
export interface StreamPair {
  /** What goes to the target. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Where the target's bytes go. */
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * Joins a pair of streams to `target` until both directions have ended; the end of `readable` is passed on.
 *
 * @throws {HtxError} `refused` if the server refused the target.
 * @throws What {@link StreamOpener.open} throws, or the reason of the signal while opening.
 */
export async function pipe(
  opener: StreamOpener,
  target: Target,
  pair: StreamPair,
  options: SpliceOptions = {},
): Promise<SpliceResult> {
  const { signal } = options;
  const stream = await openTarget(opener, target, signal && { signal });
  const result = await splice(duplexOf(pair), stream, options);
  if (stream.refusal) {
    throw new HtxError(
      "refused",
      `The server refused the target: ${stream.refusal}`,
      { cause: result.cause },
    );
  }
  return result;
}

/** A duplex over a pair of streams, which it locks; a chunk longer than the buffer is given in parts. */
function duplexOf({ readable, writable }: StreamPair): Duplex {
  const reader = readable.getReader();
  const writer = writable.getWriter();
  // Its failure shows in every write; unhandled it would end the program.
  writer.closed.catch(() => {});
  let chunk: Uint8Array = new Uint8Array(0);
  return {
    async read(buffer) {
      while (chunk.length === 0) {
        const next = await reader.read();
        if (next.done) return null;
        chunk = next.value;
      }
      const n = Math.min(buffer.length, chunk.length);
      buffer.set(chunk.subarray(0, n));
      chunk = chunk.subarray(n);
      return n;
    },
    // The stream may keep what it is given, and the caller reuses its buffer.
    write: (bytes) => writer.write(bytes.slice()),
    closeWrite: () => writer.close(),
    close() {
      // Both fail if the stream has failed or ended before: it is closed either way.
      reader.cancel().catch(() => {});
      writer.abort().catch(() => {});
    },
  };
}
