import type { Clock } from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import type { MessagePeer } from "../../core/transport/mod.ts";
import { Wakeup } from "../cla/wakeup.ts";
import type { Delivery, Registration } from "../node/registration.ts";

const MAX_UNACKNOWLEDGED = 64;
const MAX_UNACKNOWLEDGED_BYTES = 16 * 1024 * 1024;
const POLL_MS = 5;

interface Unacknowledged {
  readonly delivery: Delivery;
  readonly registration: Registration;
  readonly bytes: number;
}

/**
 * Bundles on their way to the application of a socket: 64 and 16 MiB at a time, or one that is longer; the others wait in the store.
 *
 * Where the application acknowledges, each is taken when it does so; else once the system has it. What is not taken when the socket
 * closes stays, for the next that subscribes.
 */
export class OutgoingDeliveries {
  /** Whether the application acknowledges. */
  isAcknowledged = false;
  readonly #peer: MessagePeer;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Unacknowledged>();
  readonly #dropped = new WeakSet<Registration>();
  readonly #room = new Wakeup();
  #bytes = 0;
  #turn: Promise<void> = Promise.resolve();
  #cancelPoll: (() => void) | undefined;
  #isClosed = false;

  /** Sends to `peer`. */
  constructor(peer: MessagePeer, clock: Clock) {
    this.#peer = peer;
    this.#clock = clock;
  }

  /** Bytes of what was sent and is not taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Sends the bundles of `registration`, as `encode` writes them, until it is disposed. */
  async follow(
    registration: Registration,
    encode: (delivery: Delivery) => Bytes,
  ): Promise<void> {
    for await (const delivery of registration) {
      const message = encode(delivery);
      await this.#inTurn(message.length);
      if (this.#isClosed || this.#dropped.has(registration)) return;
      this.#bytes += message.length;
      const waiting = { delivery, registration, bytes: message.length };
      this.#waiting.set(delivery.id, waiting);
      this.#peer.send(message);
      if (!this.isAcknowledged) this.#poll();
    }
  }

  /** The application has taken a bundle; says whether it was given that and had not taken it. */
  acknowledge(id: string): boolean {
    const found = this.#waiting.get(id);
    if (!found) return false;
    this.#forget(id, found);
    found.delivery.accept();
    return true;
  }

  /** Sends nothing more of `registration`, and gives up what is not taken: it stays in the store. */
  drop(registration: Registration): void {
    this.#dropped.add(registration);
    for (const [id, each] of this.#waiting) {
      if (each.registration === registration) this.#forget(id, each);
    }
  }

  /** Sends nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#cancelPoll?.();
    this.#waiting.clear();
    this.#room.wake();
  }

  #forget(id: string, { bytes }: Unacknowledged): void {
    this.#waiting.delete(id);
    this.#bytes -= bytes;
    this.#room.wake();
  }

  /** Waits until there is room for a message of `length`; those of several registrations one after the other. */
  #inTurn(length: number): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      while (!this.#isClosed && !this.#fits(length)) await this.#room.sleep();
    });
    return this.#turn;
  }

  #fits(length: number): boolean {
    return this.#waiting.size === 0 ||
      this.#waiting.size < MAX_UNACKNOWLEDGED &&
        this.#bytes + length <= MAX_UNACKNOWLEDGED_BYTES;
  }

  #poll(): void {
    this.#cancelPoll ??= this.#clock.setTimeout(() => {
      this.#cancelPoll = undefined;
      if (this.isAcknowledged || this.#isClosed) return;
      if (this.#peer.bufferedBytes > 0) return this.#poll();
      for (const id of [...this.#waiting.keys()]) this.acknowledge(id);
    }, POLL_MS);
  }
}
