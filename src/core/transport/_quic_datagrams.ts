import { BoundedQueue } from "../async/mod.ts";
import type { Bytes } from "../bytes/mod.ts";
import type { Datagrams } from "./connection.ts";

const DATAGRAM_QUEUE = 256;

/** The datagrams of a QUIC connection; of those that wait to be received, the newest are dropped beyond 256. */
export class QuicDatagrams implements Datagrams {
  readonly #conn: Deno.QuicConn;
  readonly #queue = new BoundedQueue<Bytes>({ capacity: DATAGRAM_QUEUE });

  constructor(conn: Deno.QuicConn) {
    this.#conn = conn;
    void this.#pump();
  }

  get maxSize(): number {
    return this.#conn.maxDatagramSize;
  }

  get dropped(): number {
    return this.#queue.dropped;
  }

  async send(message: Uint8Array): Promise<void> {
    if (this.#queue.closed) return;
    const { maxSize } = this;
    if (message.length > maxSize) {
      throw new RangeError(
        `A datagram holds ${maxSize} bytes: got ${message.length}`,
      );
    }
    await this.#conn.sendDatagram(message).catch(() => {});
  }

  async receive(signal?: AbortSignal): Promise<Bytes | null> {
    return await this.#queue.shift({ signal }) ?? null;
  }

  async #pump(): Promise<void> {
    try {
      for (;;) this.#queue.offer(await this.#conn.readDatagram());
    } catch {
      this.#queue.close();
    }
  }
}
