import type { Address, DialOptions } from "../../core/transport/mod.ts";
import { ByteBudget } from "../cla/byte_budget.ts";
import {
  CONNECTION_LAYER_DEFAULTS,
  type ConnectionLayerOptions,
  openWithin,
  placesFor,
} from "../cla/connection_layer.ts";
import { ConnectionListener } from "../cla/connection_listener.ts";
import type {
  Contact,
  ContactListener,
  ConvergenceLayer,
} from "../cla/convergence_layer.ts";
import type { Window } from "../cla/window.ts";
import { pushPlace } from "./push_place.ts";
import { PushedContact } from "./pushed_contact.ts";
import { PushingContact } from "./pushing_contact.ts";

/** Options of {@link HttpLayer}. */
export interface HttpOptions extends ConnectionLayerOptions {
  /** Most bytes of a bundle, either way. Default 128 MiB. */
  readonly maxBundleBytes?: number;
  /** A peer that sends nothing for so long, and waits for nothing, is left, in milliseconds, default 5 minutes. */
  readonly idleTimeoutMs?: number;
}

const DEFAULTS: Required<HttpOptions> = {
  ...CONNECTION_LAYER_DEFAULTS,
  maxBundleBytes: 134_217_728,
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
  readonly #places: Window;

  /** Opens nothing yet. */
  constructor(options: HttpOptions = {}) {
    this.#options = { ...DEFAULTS, ...options };
    this.#budget = new ByteBudget(this.#options.maxHeldBytes);
    this.#places = placesFor(this.#options);
  }

  /** As {@link ConvergenceLayer.dial}. */
  async dial(address: Address, options: DialOptions = {}): Promise<Contact> {
    const { carrier, host, path } = pushPlace(address);
    return await openWithin(this.#options, options, async (signal) => {
      const connection = await this.#options.transport.dial(carrier, {
        signal,
      });
      return new PushingContact(connection, { ...this.#options, host, path });
    });
  }

  /** As {@link ConvergenceLayer.listen}. */
  async listen(address: Address): Promise<ContactListener> {
    const { carrier, path } = pushPlace(address);
    const listener = await this.#options.transport.listen(carrier);
    return new ConnectionListener(
      listener,
      this.#places,
      (connection) =>
        new PushedContact(connection, {
          ...this.#options,
          budget: this.#budget,
          path,
        }),
      { address: listener.address + path.replace(/\/push$/, "") },
    );
  }
}
