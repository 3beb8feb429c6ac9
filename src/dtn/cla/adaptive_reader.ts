import type { Connection } from "../../core/transport/mod.ts";

const MIN_BYTES = 4_096;
const MAX_BYTES = 262_144;

/** Reads a connection with as much room as the peer's pace asks for, so that an idle contact holds 4 KiB and a busy one 256 KiB. */
export class AdaptiveReader {
  readonly #connection: Connection;
  #buffer = new Uint8Array(MIN_BYTES);

  /** Takes over reading `connection`. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** What came next, valid until the next call, or `null` at the peer's end. */
  async read(): Promise<Uint8Array | null> {
    const length = await this.#connection.read(this.#buffer);
    if (length === null) return null;
    const read = this.#buffer.subarray(0, length);
    this.#resize(length);
    return read;
  }

  #resize(length: number): void {
    const size = this.#buffer.length;
    if (length === size && size < MAX_BYTES) {
      this.#buffer = new Uint8Array(size * 2);
    } else if (length < size / 16 && size > MIN_BYTES) {
      this.#buffer = new Uint8Array(size / 2);
    }
  }
}
