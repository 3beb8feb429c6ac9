import { type Clock, Deadline, systemClock } from "../../core/async/mod.ts";
import {
  type Address,
  type Connection,
  type DialOptions,
  tcp,
  type Transport,
} from "../../core/transport/mod.ts";
import { ByteBudget } from "../cla/byte_budget.ts";
import { contactErrorOf } from "../cla/contact_error.ts";
import type {
  Contact,
  ContactListener,
  ConvergenceLayer,
} from "../cla/convergence_layer.ts";
import type { WindowOptions } from "../cla/window.ts";
import { MtcpContact } from "./mtcp_contact.ts";

/** Options of {@link MtcpLayer}. */
export interface MtcpOptions {
  /** What carries the connections, default TCP without Nagle's algorithm. */
  readonly transport?: Transport;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Most bytes of a bundle, either way; a peer that sends more is left. Default 128 MiB. */
  readonly maxBundleBytes?: number;
  /** Most contacts that others opened; further connections are closed. Default 1,024. */
  readonly maxContacts?: number;
  /** Bundles of one contact that may wait to be written, default 1,024 and 64 MiB. */
  readonly sending?: WindowOptions;
  /** Bundles of one contact that may wait for the node, default 1,024 and 64 MiB; beyond, nothing more is read. */
  readonly receiving?: WindowOptions;
  /**
   * Bytes of bundles, whole or in part, that all contacts hold together for the node; a peer whose bundle finds no room is left. Default
   * 256 MiB.
   */
  readonly maxHeldBytes?: number;
  /** Limit of connecting in milliseconds, default 10 s. */
  readonly openTimeoutMs?: number;
  /** A peer that lets one write wait so long is left, in milliseconds, default 60 s. */
  readonly stallTimeoutMs?: number;
}

const DEFAULTS: Required<MtcpOptions> = {
  transport: tcp,
  clock: systemClock,
  maxBundleBytes: 134_217_728,
  maxContacts: 1_024,
  sending: { maxCount: 1_024, maxBytes: 67_108_864 },
  receiving: { maxCount: 1_024, maxBytes: 67_108_864 },
  maxHeldBytes: 268_435_456,
  openTimeoutMs: 10_000,
  stallTimeoutMs: 60_000,
};

/**
 * Bundles over TCP without acknowledgements: MTCP (draft-ietf-dtn-mtcpcl-01), each a CBOR byte string. What was handed over when a
 * contact breaks may be lost.
 */
export class MtcpLayer implements ConvergenceLayer {
  /** `"mtcp"`. */
  readonly name = "mtcp";
  readonly #options: Required<MtcpOptions>;
  readonly #budget: ByteBudget;
  #accepted = 0;

  /** Opens nothing yet. */
  constructor(options: MtcpOptions = {}) {
    this.#options = { ...DEFAULTS, ...options };
    this.#budget = new ByteBudget(this.#options.maxHeldBytes);
  }

  /** As {@link ConvergenceLayer.dial}. */
  async dial(
    address: Address,
    { signal }: DialOptions = {},
  ): Promise<Contact> {
    signal?.throwIfAborted();
    const { clock, openTimeoutMs, transport } = this.#options;
    using deadline = new Deadline(clock, openTimeoutMs, { signal });
    try {
      return this.#contact(
        await transport.dial(address, { signal: deadline.signal }),
      );
    } catch (error) {
      signal?.throwIfAborted();
      throw contactErrorOf(error);
    }
  }

  /** As {@link ConvergenceLayer.listen}. */
  async listen(address: Address): Promise<ContactListener> {
    const listener = await this.#options.transport.listen(address);
    return {
      address: listener.address,
      [Symbol.asyncIterator]: () => this.#accept(listener),
      close: () => listener.close(),
      [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
    };
  }

  async *#accept(
    connections: AsyncIterable<Connection>,
  ): AsyncIterableIterator<Contact> {
    for await (const connection of connections) {
      if (this.#accepted >= this.#options.maxContacts) {
        connection.close();
        continue;
      }
      this.#accepted++;
      const contact = this.#contact(connection);
      void contact.closed.then(() => this.#accepted--);
      yield contact;
    }
  }

  #contact(connection: Connection): Contact {
    return new MtcpContact(connection, {
      ...this.#options,
      budget: this.#budget,
    });
  }
}
