import type { Bytes } from "../bytes/mod.ts";
import { ByteConnection } from "./byte_connection.ts";
import type { Address } from "./connection.ts";
import { TransportError } from "./error.ts";
import type { QuicConnection } from "./quic_connection.ts";

const MIN_READ_BYTES = 4_096;
const MAX_READ_BYTES = 262_144;

/**
 * A bidirectional stream of a QUIC connection.
 *
 * A pending read holds a buffer of its own, since Deno takes it away from its owner; it grows to 256 KiB while reads
 * fill it, and shrinks to 4 KiB when they do not, so that an idle stream holds little.
 */
export class QuicStream extends ByteConnection {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly #reader: ReadableStreamBYOBReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #buffer = new ArrayBuffer(0);
  #readBytes = MIN_READ_BYTES;
  /** Bytes that came but did not fit. */
  #leftover: Bytes = new Uint8Array();

  constructor(quic: QuicConnection, stream: Deno.QuicBidirectionalStream) {
    super();
    this.localAddress = quic.localAddress;
    this.remoteAddress = quic.remoteAddress;
    this.#reader = stream.readable.getReader({ mode: "byob" });
    this.#writer = stream.writable.getWriter();
    void quic.closed.then(() => {
      this.breakWith(new TransportError("reset", "The connection is over"));
    });
  }

  protected async receive(buffer: Uint8Array): Promise<number | null> {
    if (this.#leftover.length === 0) {
      if (this.#buffer.byteLength !== this.#readBytes) {
        this.#buffer = new ArrayBuffer(this.#readBytes);
      }
      const result = await this.#reader.read(new Uint8Array(this.#buffer));
      if (result.done) return null;
      this.#buffer = result.value.buffer;
      this.#adapt(result.value.length);
      this.#leftover = result.value;
    }
    const part = this.#leftover.subarray(0, buffer.length);
    buffer.set(part);
    this.#leftover = this.#leftover.subarray(part.length);
    return part.length;
  }

  protected send(bytes: Uint8Array): Promise<void> {
    return this.#writer.write(bytes);
  }

  protected sendEnd(): Promise<void> {
    return this.#writer.close();
  }

  protected async drop(_cleanly: boolean): Promise<void> {
    // An abort waits for a pending write, which only the peer or the end of the connection can finish.
    void this.#writer.abort().catch(() => {});
    await this.#reader.cancel().catch(() => {});
  }

  #adapt(received: number): void {
    if (received === this.#readBytes) {
      this.#readBytes = Math.min(4 * received, MAX_READ_BYTES);
    } else if (received <= this.#readBytes / 4) {
      this.#readBytes = Math.max(this.#readBytes / 4, MIN_READ_BYTES);
    }
  }
}
