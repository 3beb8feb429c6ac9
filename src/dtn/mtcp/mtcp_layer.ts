import type {
  Address,
  Connection,
  DialOptions,
} from "../../core/transport/mod.ts";
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
import { MtcpContact } from "./mtcp_contact.ts";

/** Options of {@link MtcpLayer}. MTCP cannot refuse: a peer whose bundle is too long or finds no room is left. */
export interface MtcpOptions extends ConnectionLayerOptions {
  /** Most bytes of a bundle, either way. Default 128 MiB. */
  readonly maxBundleBytes?: number;
  /**
   * A contact that others opened and on which nothing moves for so long gives way where another finds no place, in milliseconds: MTCP has
   * no sign of life. Default 5 min.
   */
  readonly idleTimeoutMs?: number;
}

const DEFAULTS: Required<MtcpOptions> = {
  ...CONNECTION_LAYER_DEFAULTS,
  maxBundleBytes: 134_217_728,
  idleTimeoutMs: 300_000,
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
  readonly #places: Window;
  readonly #incoming = new Set<MtcpContact>();

  /** Opens nothing yet. */
  constructor(options: MtcpOptions = {}) {
    this.#options = { ...DEFAULTS, ...options };
    this.#budget = new ByteBudget(this.#options.maxHeldBytes);
    this.#places = placesFor(this.#options);
  }

  /** As {@link ConvergenceLayer.dial}. */
  dial(address: Address, options: DialOptions = {}): Promise<Contact> {
    return openWithin(this.#options, options, async (signal) => {
      const { transport } = this.#options;
      return this.#contact(await transport.dial(address, { signal }));
    });
  }

  /** As {@link ConvergenceLayer.listen}. */
  async listen(address: Address): Promise<ContactListener> {
    return new ConnectionListener(
      await this.#options.transport.listen(address),
      this.#places,
      (connection) => this.#incomingContact(connection),
      { onFull: () => this.#endQuietest() },
    );
  }

  #incomingContact(connection: Connection): Contact {
    const contact = this.#contact(connection);
    this.#incoming.add(contact);
    void contact.closed.then(() => this.#incoming.delete(contact));
    return contact;
  }

  /** For the next that dials. */
  #endQuietest(): void {
    const { clock, idleTimeoutMs } = this.#options;
    let quietest: MtcpContact | undefined;
    for (const each of this.#incoming) {
      if (!quietest || each.movedMs < quietest.movedMs) quietest = each;
    }
    if (quietest && clock.now() - quietest.movedMs >= idleTimeoutMs) {
      quietest.close();
    }
  }

  #contact(connection: Connection): MtcpContact {
    return new MtcpContact(connection, {
      ...this.#options,
      budget: this.#budget,
    });
  }
}
