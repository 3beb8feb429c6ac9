import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import {
  type Address,
  ByteConnection,
  type Connection,
  type Listener,
} from "../../src/core/transport/mod.ts";

/** How much of what a client sends is kept. */
const MAX_RECORDED_BYTES = 16_384;

/** A listener that tells, when a connection ends, what the client sent first. */
export class RecordedListener implements Listener {
  readonly #listener: Listener;
  readonly #take: (sent: Bytes) => void;

  /** Takes over `listener`, and gives `take` up to 16 KiB a connection. */
  constructor(listener: Listener, take: (sent: Bytes) => void) {
    this.#listener = listener;
    this.#take = take;
  }

  /** Where it listens. */
  get address(): Address {
    return this.#listener.address;
  }

  /** Accepts until closed. */
  async *[Symbol.asyncIterator](): AsyncIterator<Connection> {
    for await (const connection of this.#listener) {
      yield new RecordedConnection(connection, this.#take);
    }
  }

  /** Stops accepting. */
  close(): void {
    this.#listener.close();
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#listener[Symbol.asyncDispose]();
  }
}

class RecordedConnection extends ByteConnection {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly #connection: Connection;
  readonly #take: (sent: Bytes) => void;
  readonly #sent: Uint8Array[] = [];
  #length = 0;

  constructor(connection: Connection, take: (sent: Bytes) => void) {
    super();
    this.#connection = connection;
    this.#take = take;
    this.localAddress = connection.localAddress;
    this.remoteAddress = connection.remoteAddress;
  }

  protected async receive(buffer: Uint8Array): Promise<number | null> {
    const length = await this.#connection.read(buffer);
    if (length !== null && this.#length < MAX_RECORDED_BYTES) {
      this.#length += length;
      this.#sent.push(buffer.slice(0, length));
    }
    return length;
  }

  protected send(bytes: Uint8Array): Promise<void> {
    return this.#connection.write(bytes);
  }

  protected sendEnd(): Promise<void> {
    return this.#connection.closeWrite();
  }

  protected drop(): void {
    this.#connection.close();
    this.#take(concat(...this.#sent).slice(0, MAX_RECORDED_BYTES));
  }
}
