import type { WaitOptions } from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import { type Address, MAX_DATAGRAM_BYTES } from "../../core/transport/mod.ts";
import type { ByteBudget } from "../cla/byte_budget.ts";
import { ContactError, contactErrorOf } from "../cla/contact_error.ts";
import {
  type Contact,
  type ContactCounts,
  noContactCounts,
  type ReceivedBundle,
  type SendOutcome,
} from "../cla/convergence_layer.ts";
import { Inbox } from "../cla/inbox.ts";
import type { WindowOptions } from "../cla/window.ts";

/** Options of {@link UdpContact}. */
export interface UdpContactOptions {
  readonly remoteAddress: Address;
  /** Bundles of the peer that may wait for the node; further ones are dropped. */
  readonly receiving: WindowOptions;
  /** What they take room of until the node has decided. */
  readonly budget: ByteBudget;
  /** Sends to the peer. */
  readonly send: (message: Uint8Array) => Promise<void>;
  /** Called once, at the end. */
  readonly onClose: () => void;
}

/** A neighbour over UDP: what it sends to us, and we to it. */
export class UdpContact implements Contact {
  /** As {@link Contact.remoteAddress}. */
  readonly remoteAddress: Address;
  /** Absent: UDP has no such thing. */
  readonly peerNodeId = undefined;
  /** As {@link Contact.maxBundleBytes}: what a datagram holds. */
  readonly maxBundleBytes = MAX_DATAGRAM_BYTES;
  /** As {@link Contact.counts}. */
  readonly counts: ContactCounts = noContactCounts();
  /** As {@link Contact.closed}. */
  readonly closed: Promise<void>;
  readonly #options: UdpContactOptions;
  readonly #inbox: Inbox;
  readonly #close: () => void;
  #isClosed = false;

  /** Opens nothing: there is nothing to open. */
  constructor(options: UdpContactOptions) {
    this.#options = options;
    this.remoteAddress = options.remoteAddress;
    this.#inbox = new Inbox(options.receiving);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#close = resolve;
  }

  /** As {@link Contact.received}. */
  get received(): AsyncIterable<ReceivedBundle> {
    return this.#inbox;
  }

  /** As {@link Contact.send}; handed over once the system took it. */
  async send(
    bundle: Uint8Array,
    { signal }: WaitOptions = {},
  ): Promise<SendOutcome> {
    signal?.throwIfAborted();
    if (this.#isClosed) {
      throw new ContactError("closed", "The contact was closed");
    }
    if (bundle.length > this.maxBundleBytes) {
      throw new ContactError(
        "tooLarge",
        `A datagram holds ${this.maxBundleBytes} bytes: got ${bundle.length}`,
      );
    }
    try {
      await this.#options.send(bundle);
    } catch (error) {
      throw contactErrorOf(error);
    }
    this.counts.bytesOut += bundle.length;
    this.counts.sent++;
    return { kind: "handedOver" };
  }

  /** Takes a datagram of the peer; drops and counts it if there is no room. */
  receive(message: Bytes): void {
    const { length } = message;
    this.counts.bytesIn += length;
    if (!this.#inbox.hasRoom || !this.#options.budget.take(length)) {
      this.counts.dropped++;
      return;
    }
    this.counts.received++;
    this.#inbox.deliver(message, (refusal) => {
      this.#options.budget.give(length);
      if (refusal) this.counts.refusedByNode++;
    });
  }

  /** As {@link Contact.end}: nothing is ever under way. */
  end(): Promise<void> {
    this.close();
    return this.closed;
  }

  /** As {@link Contact.close}; the peer does not notice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inbox.close();
    this.#options.onClose();
    this.#close();
  }

  /** Closes it, and drops and counts what nobody has taken. */
  drop(): void {
    for (const bundle of this.#inbox.drain()) {
      bundle.accept();
      this.counts.dropped++;
    }
    this.close();
  }

  /** Closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}
