import type { Clock } from "../core/async/mod.ts";
import type { Bytes } from "../core/bytes/mod.ts";
import type { Datagrams } from "../core/transport/mod.ts";
import type { SendOutcome } from "../dtn/mod.ts";
import {
  BUNDLE_HEAD_LENGTH,
  type BundleDatagram,
  encodeBundle,
} from "./datagram.ts";
import { ID_SPAN } from "./known_bundles.ts";

/** Options of {@link DatagramSender}. */
export interface DatagramSenderOptions {
  /** Carries them, or loses them. */
  readonly datagrams: Pick<Datagrams, "maxSize" | "send">;
  /** Times answers. */
  readonly clock: Clock;
  /** The last round trip that was measured, in milliseconds. */
  readonly rttMs: () => number;
}

interface Outstanding {
  readonly message: Bytes;
  /** Times it was sent since the peer was last heard of it. */
  attempts: number;
  waitMs: number;
  cancel: () => void;
  readonly resolve: (outcome: SendOutcome | undefined) => void;
}

/** Bundles by datagram that wait for an answer. */
const MAX_OUTSTANDING = 64;
/** Sendings of a bundle of which the peer says nothing, before it goes on a stream. */
const MAX_ATTEMPTS = 4;
const MIN_WAIT_MS = 200;
const MAX_WAIT_MS = 8_000;
const LAST_ID = 0xffffffff;

/** Sends small bundles by datagram, again while nothing is heard of them, and knows which the peer may not have. */
export class DatagramSender {
  readonly #options: DatagramSenderOptions;
  /** By number, the lowest first. */
  readonly #outstanding = new Map<number, Outstanding>();
  #next = 0;

  /** Starts with nothing under way. */
  constructor(options: DatagramSenderOptions) {
    this.#options = options;
  }

  /** Whether a bundle of `length` bytes can go by datagram now; if not, a stream is there for it. */
  takes(length: number): boolean {
    if (this.#outstanding.size >= MAX_OUTSTANDING || this.#next > LAST_ID) {
      return false;
    }
    for (const [lowest] of this.#outstanding) {
      if (this.#next - lowest >= ID_SPAN) return false;
      break;
    }
    return BUNDLE_HEAD_LENGTH + length <= this.#options.datagrams.maxSize;
  }

  /**
   * Sends a bundle that it {@link takes}.
   *
   * @returns Its number, which it has until {@link settle}, and what the peer says of it; `undefined` if that is nothing.
   */
  send(
    bundle: Uint8Array,
  ): { id: number; outcome: Promise<SendOutcome | undefined> } {
    const id = this.#next++;
    const { promise, resolve } = Promise.withResolvers<
      SendOutcome | undefined
    >();
    const outstanding: Outstanding = {
      message: encodeBundle(id, bundle),
      attempts: 0,
      waitMs: Math.max(MIN_WAIT_MS, 2 * this.#options.rttMs()),
      cancel: () => {},
      resolve,
    };
    this.#outstanding.set(id, outstanding);
    this.#transmit(outstanding);
    return { id, outcome: promise };
  }

  /** Hears what the peer says of a bundle; what it says of one that is over is of no interest. */
  hear(said: Exclude<BundleDatagram, { kind: "bundle" }>): void {
    const outstanding = this.#outstanding.get(said.id);
    if (!outstanding || outstanding.attempts > MAX_ATTEMPTS) return;
    if (said.kind === "answer") {
      outstanding.cancel();
      outstanding.resolve(said.outcome);
    } else {
      outstanding.attempts = 0;
    }
  }

  /** Gives the number of a bundle back once its outcome is known. */
  settle(id: number): void {
    this.#outstanding.get(id)?.cancel();
    this.#outstanding.delete(id);
  }

  /** Sends nothing more; what has no answer gets none. */
  close(): void {
    for (const { cancel } of this.#outstanding.values()) cancel();
  }

  #transmit(outstanding: Outstanding): void {
    const { datagrams, clock } = this.#options;
    if (++outstanding.attempts > MAX_ATTEMPTS) {
      return outstanding.resolve(undefined);
    }
    // What is too large by now is lost like any other.
    datagrams.send(outstanding.message).catch(() => {});
    outstanding.cancel = clock.setTimeout(
      () => this.#transmit(outstanding),
      outstanding.waitMs,
    );
    outstanding.waitMs = Math.min(2 * outstanding.waitMs, MAX_WAIT_MS);
  }
}
