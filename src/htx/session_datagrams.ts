import type { Clock } from "../core/async/mod.ts";
import type { Bytes } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import type { Datagrams } from "../core/transport/mod.ts";
import {
  DATAGRAM_OVERHEAD,
  type DatagramFault,
  DatagramOpener,
  DatagramSealer,
} from "./datagram_protection.ts";
import { datagramKeys, type SessionKeys } from "./keys.ts";
import type { Role } from "./mux.ts";

/** What {@link SessionDatagrams} works with. */
export interface SessionDatagramsInit {
  /** Which end this is. */
  readonly role: Role;
  /** The primitives. */
  readonly crypto: CryptoProvider;
  /** The first keys of the session. */
  readonly keys: SessionKeys;
  /** Ages our key. */
  readonly clock: Clock;
  /** Told once of a datagram that is not the peer's. */
  readonly onFault: (error: unknown) => void;
}

/** Counts of a session's datagrams. */
export interface DatagramStats {
  /** Sent; the carrier may have lost them. */
  readonly sent: number;
  /** Came and were opened. */
  readonly received: number;
  /** Bytes of messages sent. */
  readonly bytesOut: number;
  /** Bytes of messages that came. */
  readonly bytesIn: number;
  /** Came and were dropped, by reason. */
  readonly faults: Readonly<
    Record<"malformed" | "seen" | "old" | "ahead", number>
  >;
}

/** Unreliable messages beside the streams of a session, sealed as they are; where its carrier has such: QUIC. */
export class SessionDatagrams implements Datagrams, Disposable {
  readonly #carrier: Datagrams;
  readonly #clock: Clock;
  readonly #onFault: (error: unknown) => void;
  readonly #sealer: DatagramSealer;
  readonly #opener: DatagramOpener;
  readonly #over = new AbortController();
  readonly #faults: Record<DatagramFault, number> = {
    malformed: 0,
    seen: 0,
    old: 0,
    ahead: 0,
  };
  #sent = 0;
  #received = 0;
  #bytesOut = 0;
  #bytesIn = 0;

  /** Begins with the session, on the datagrams of its connection. */
  constructor(carrier: Datagrams, init: SessionDatagramsInit) {
    const { role, crypto, keys, clock, onFault } = init;
    this.#carrier = carrier;
    this.#clock = clock;
    this.#onFault = onFault;
    const [ours, theirs] = role === "client"
      ? [keys.client, keys.server]
      : [keys.server, keys.client];
    this.#sealer = new DatagramSealer(
      crypto,
      datagramKeys(crypto, ours),
      clock.now(),
    );
    this.#opener = new DatagramOpener(crypto, datagramKeys(crypto, theirs));
  }

  /** As {@link Datagrams.maxSize}: 24 less than the carrier's. */
  get maxSize(): number {
    return Math.max(0, this.#carrier.maxSize - DATAGRAM_OVERHEAD);
  }

  /** As {@link Datagrams.dropped}; those that were no message are in {@link stats}. */
  get dropped(): number {
    return this.#carrier.dropped;
  }

  /** Counts since the session began. */
  get stats(): DatagramStats {
    return {
      sent: this.#sent,
      received: this.#received,
      bytesOut: this.#bytesOut,
      bytesIn: this.#bytesIn,
      faults: { ...this.#faults },
    };
  }

  /** As {@link Datagrams.send}; nothing leaves once the session is over. */
  async send(message: Uint8Array): Promise<void> {
    const { maxSize } = this;
    if (message.length > maxSize) {
      throw new RangeError(
        `A datagram holds ${maxSize} bytes: got ${message.length}`,
      );
    }
    if (this.#over.signal.aborted) return;
    this.#sent++;
    this.#bytesOut += message.length;
    await this.#carrier.send(this.#sealer.seal(message, this.#clock.now()));
  }

  /** As {@link Datagrams.receive}: `null` once the session is over. */
  async receive(signal?: AbortSignal): Promise<Bytes | null> {
    const over = this.#over.signal;
    const either = signal ? AbortSignal.any([signal, over]) : over;
    while (!over.aborted) {
      let datagram: Bytes | null;
      try {
        datagram = await this.#carrier.receive(either);
      } catch (error) {
        if (over.aborted) return null;
        throw error;
      }
      if (!datagram || over.aborted) return null;
      const message = this.#open(datagram);
      if (message) return message;
    }
    return null;
  }

  /** Ends them, and wipes their keys. */
  [Symbol.dispose](): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#sealer[Symbol.dispose]();
    this.#opener[Symbol.dispose]();
  }

  #open(datagram: Bytes): Bytes | undefined {
    let message: Bytes | DatagramFault;
    try {
      message = this.#opener.open(datagram);
    } catch (error) {
      this.#onFault(error);
      this[Symbol.dispose]();
      return undefined;
    }
    if (typeof message === "string") {
      this.#faults[message]++;
      return undefined;
    }
    this.#received++;
    this.#bytesIn += message.length;
    return message;
  }
}
