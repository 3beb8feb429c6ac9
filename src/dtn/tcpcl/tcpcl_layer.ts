import {
  type Address,
  type Closeable,
  type Connection,
  type DialOptions,
  HandshakeListener,
} from "../../core/transport/mod.ts";
import { ByteBudget } from "../cla/byte_budget.ts";
import {
  CONNECTION_LAYER_DEFAULTS,
  type ConnectionLayerOptions,
  openWithin,
  placesFor,
} from "../cla/connection_layer.ts";
import type {
  Contact,
  ContactListener,
  ConvergenceLayer,
} from "../cla/convergence_layer.ts";
import type { Window } from "../cla/window.ts";
import { sessionErrorOf } from "./session_error_of.ts";
import { exchangeContactHeaders } from "./exchange_contact_headers.ts";
import type { SessTermReason } from "./message.ts";
import { SESSION_DEFAULTS, type SessionPolicy } from "./options.ts";
import { TcpclContact } from "./tcpcl_contact.ts";

/**
 * Puts TLS on a connection whose contact headers have agreed on it, and takes it over; the active side is the client. It judges whether
 * the peer's certificate is good for `address`: what was dialled, or the peer's end. `isPeer` says whether that certificate is for the
 * node of an id; it is absent if nothing was proved, and then every id is believed.
 */
export type Secure = (
  connection: Connection,
  role: "active" | "passive",
  options: { readonly address: Address; readonly signal: AbortSignal },
) => Promise<{
  readonly connection: Connection;
  readonly isPeer?: (nodeId: string) => boolean;
}>;

/** Options of {@link TcpclLayer}. Who finds no place is told that we are busy. */
export interface TcpclOptions
  extends ConnectionLayerOptions, Partial<SessionPolicy> {
  /** Our node id, e.g. `dtn://node/` or `ipn:1.0`. */
  readonly nodeId: string;
  /** Speaks TLS with peers that can; without it none is spoken. */
  readonly secure?: Secure;
  /** Whether peers that cannot are left; needs `secure`. Default false. */
  readonly requireTls?: boolean;
}

/** How a contact opens. */
interface Opening {
  /** What was dialled; absent if the peer did. */
  readonly address?: Address;
  readonly signal: AbortSignal;
  /** Why it does not. */
  readonly refusal?: SessTermReason;
}

type Settings =
  & Required<Omit<TcpclOptions, "secure">>
  & Pick<TcpclOptions, "secure">;

const DEFAULTS = {
  ...SESSION_DEFAULTS,
  ...CONNECTION_LAYER_DEFAULTS,
  requireTls: false,
} as const;

/** Bundles over TCP, each acknowledged by the peer: TCPCL version 4 (RFC 9174). */
export class TcpclLayer implements ConvergenceLayer {
  /** `"tcpcl"`. */
  readonly name = "tcpcl";
  readonly #options: Settings;
  readonly #budget: ByteBudget;
  readonly #places: Window;

  /**
   * Opens nothing yet.
   *
   * @throws {TypeError} If TLS is required and there is no `secure`.
   * @throws {RangeError} If a number is out of its range.
   */
  constructor(options: TcpclOptions) {
    this.#options = checked({ ...DEFAULTS, ...options });
    this.#budget = new ByteBudget(this.#options.maxHeldBytes);
    this.#places = placesFor(this.#options);
  }

  /** As {@link ConvergenceLayer.dial}. */
  dial(address: Address, options: DialOptions = {}): Promise<Contact> {
    const open = async (signal: AbortSignal) => {
      const { transport } = this.#options;
      const connection = await transport.dial(address, { signal });
      return await this.#open(connection, { address, signal });
    };
    return openWithin(this.#options, options, open, sessionErrorOf);
  }

  /** As {@link ConvergenceLayer.listen}; 256 contacts open at once, 128 wait to be taken. */
  async listen(address: Address): Promise<ContactListener> {
    const { clock, openTimeoutMs, transport } = this.#options;
    const listener = await transport.listen(address);
    return new HandshakeListener(
      {
        address: listener.address,
        arrivals: listener,
        handshake: (connection, signal) => this.#take(connection, signal),
        close: () => listener.close(),
      },
      clock,
      openTimeoutMs,
    );
  }

  async #take(
    connection: Connection,
    signal: AbortSignal,
  ): Promise<Contact> {
    if (!this.#places.tryEnter(0)) {
      return await this.#open(connection, { signal, refusal: "busy" });
    }
    try {
      const contact = await this.#open(connection, { signal });
      void contact.closed.then(() => this.#places.leave(0));
      return contact;
    } catch (error) {
      this.#places.leave(0);
      throw error;
    }
  }

  async #open(
    connection: Connection,
    { address, signal, refusal }: Opening,
  ): Promise<Contact> {
    const active = address !== undefined;
    const { secure, requireTls, clock, sending, receiving, stallTimeoutMs } =
      this.#options;
    let owner: Closeable = connection;
    const onAbort = () => owner.close();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      signal.throwIfAborted();
      const canTls = secure !== undefined;
      const policy = { active, canTls, requireTls, refusal };
      let isPeer: ((nodeId: string) => boolean) | undefined;
      if (await exchangeContactHeaders(connection, policy)) {
        const role = active ? "active" : "passive";
        const secured = await secure!(connection, role, {
          address: address ?? connection.remoteAddress,
          signal,
        });
        owner = connection = secured.connection;
        isPeer = secured.isPeer;
        signal.throwIfAborted();
      }
      const contact = new TcpclContact(connection, {
        session: { ...this.#options, active, isPeer, budget: this.#budget },
        sending,
        receiving,
        stallTimeoutMs,
        clock,
      });
      owner = contact;
      await contact.opened;
      return contact;
    } catch (error) {
      // A contact that fails says why and closes by itself.
      if (owner === connection || signal.aborted) owner.close();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}

function checked(options: Settings): Settings {
  if (options.requireTls && !options.secure) {
    throw new TypeError("To require TLS takes a `secure` that speaks it");
  }
  const { keepaliveS } = options;
  if (
    !(Number.isInteger(keepaliveS) && keepaliveS >= 0 && keepaliveS < 65_536)
  ) {
    throw new RangeError(`Want a keepaliveS in 0..65535: got ${keepaliveS}`);
  }
  for (
    const name of [
      "segmentMruBytes",
      "transferMruBytes",
      "segmentBytes",
    ] as const
  ) {
    if (!(Number.isSafeInteger(options[name]) && options[name] > 0)) {
      throw new RangeError(`Want a whole ${name} > 0: got ${options[name]}`);
    }
  }
  return options;
}
