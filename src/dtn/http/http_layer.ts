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
import { pushPlace } from "./push_place.ts";
import { PushedContact } from "./pushed_contact.ts";
import { PushingContact } from "./pushing_contact.ts";

/** Options of {@link HttpLayer}. */
export interface HttpOptions {
  /** What carries the connections, default TCP without Nagle's algorithm. */
  readonly transport?: Transport;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Most bytes of a bundle, either way; a larger one is answered with status 413. Default 128 MiB. */
  readonly maxBundleBytes?: number;
  /** Most connections that others opened; further ones are closed. Default 1,024. */
  readonly maxContacts?: number;
  /** Bundles of one contact that may wait for their answers, default 1,024 and 64 MiB. */
  readonly sending?: WindowOptions;
  /** Bundles of one contact that may wait for the node, default 1,024 and 64 MiB; beyond, nothing more is read. */
  readonly receiving?: WindowOptions;
  /** Bytes of bundles, whole or in part, that all contacts hold together for the node; beyond, the answer is 503. Default 256 MiB. */
  readonly maxHeldBytes?: number;
  /** Limit of connecting in milliseconds, default 10 s. */
  readonly openTimeoutMs?: number;
  /** A peer that neither reads nor answers for so long while bundles are under way is left, in milliseconds, default 60 s. */
  readonly stallTimeoutMs?: number;
  /** A peer that sends nothing for so long, and waits for nothing, is left, in milliseconds, default 5 minutes. */
  readonly idleTimeoutMs?: number;
}

const DEFAULTS: Required<HttpOptions> = {
  transport: tcp,
  clock: systemClock,
  maxBundleBytes: 134_217_728,
  maxContacts: 1_024,
  sending: { maxCount: 1_024, maxBytes: 67_108_864 },
  receiving: { maxCount: 1_024, maxBytes: 67_108_864 },
  maxHeldBytes: 268_435_456,
  openTimeoutMs: 10_000,
  stallTimeoutMs: 60_000,
  idleTimeoutMs: 300_000,
};

/**
 * Bundles as bodies of `POST /push` over HTTP/1.1, as dtn7-rs takes and sends them. It is one way: who dials sends, who listens
 * receives, and the status says what the node did.
 *
 * ```text
 * 200                  acknowledged
 * 400, 413, 415, 422   not acceptable: of us a bundle that is none or too large
 * 429, 503, 507        no resources: of us no room in the contacts, 503, or in the node, 507
 * others               unknown: of us 403 to web pages, 404, 405, 411 without a Content-Length, 500
 * ```
 *
 * An address may have a path, which is put before `/push`.
 */
export class HttpLayer implements ConvergenceLayer {
  /** `"http"`. */
  readonly name = "http";
  readonly #options: Required<HttpOptions>;
  readonly #budget: ByteBudget;
  #accepted = 0;

  /** Opens nothing yet. */
  constructor(options: HttpOptions = {}) {
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
    const { carrier, host, path } = pushPlace(address);
    using deadline = new Deadline(clock, openTimeoutMs, { signal });
    try {
      const connection = await transport.dial(carrier, {
        signal: deadline.signal,
      });
      return new PushingContact(connection, { ...this.#options, host, path });
    } catch (error) {
      signal?.throwIfAborted();
      throw contactErrorOf(error);
    }
  }

  /** As {@link ConvergenceLayer.listen}. */
  async listen(address: Address): Promise<ContactListener> {
    const { carrier, path } = pushPlace(address);
    const listener = await this.#options.transport.listen(carrier);
    return {
      address: listener.address + path.replace(/\/push$/, ""),
      [Symbol.asyncIterator]: () => this.#accept(listener, path),
      close: () => listener.close(),
      [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
    };
  }

  async *#accept(
    connections: AsyncIterable<Connection>,
    path: string,
  ): AsyncIterableIterator<Contact> {
    for await (const connection of connections) {
      if (this.#accepted >= this.#options.maxContacts) {
        connection.close();
        continue;
      }
      this.#accepted++;
      const contact = new PushedContact(connection, {
        ...this.#options,
        budget: this.#budget,
        path,
      });
      void contact.closed.then(() => this.#accepted--);
      yield contact;
    }
  }
}
