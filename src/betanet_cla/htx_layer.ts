import { type Clock, Deadline, systemClock } from "../core/async/mod.ts";
import {
  type Address,
  type DialOptions,
  HandshakeListener,
} from "../core/transport/mod.ts";
import {
  cla,
  type Contact,
  type ContactListener,
  type ConvergenceLayer,
  type WindowOptions,
} from "../dtn/mod.ts";
import { CLOSE_CODE, type Session } from "../htx/mod.ts";
import { contactErrorOf } from "./contact_error_of.ts";
import { encodeHello } from "./hello.ts";
import type { HtxContactOptions } from "./htx_contact.ts";
import { type ContactRole, openContact } from "./open_contact.ts";

/** Sessions that others open with us, each for one contact. */
export interface SessionListener extends AsyncIterable<Session> {
  /** Where it listens. */
  readonly address: Address;
  /** Ends the iteration; sessions already taken live on. */
  close(): void;
}

/** Options of {@link HtxLayer}. */
export interface HtxLayerOptions {
  /** Our node id, e.g. `dtn://node/` or `ipn:1.0`. */
  readonly nodeId: string;
  /**
   * Opens a session with the server at `address`, of which nothing else may use streams. It knows the server's key and ticket, and what
   * carries the session; it lets go of everything if the signal aborts.
   */
  readonly dial: (
    address: Address,
    options: { readonly signal: AbortSignal },
  ) => Promise<Session>;
  /** Takes sessions at `address`. Absent: {@link HtxLayer.listen} is a TypeError. */
  readonly listen?: (address: Address) => Promise<SessionListener>;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Most bytes of a bundle that we take, default 128 MiB. */
  readonly maxBundleBytes?: number;
  /** Most contacts that others opened; further sessions are closed with `limitExceeded`. Default 1,024. */
  readonly maxContacts?: number;
  /** Bundles of one contact that may wait for the peer's answer, default 1,024 and 64 MiB, or as few as the peer takes. */
  readonly sending?: WindowOptions;
  /**
   * Bundles of one contact that may be under way to the node, from their first byte until it has decided, default 1,024 and 64 MiB. The
   * peer is told and holds the others back; those of a peer that does not are refused.
   */
  readonly receiving?: WindowOptions;
  /** Whether small bundles go by datagram where the session has them (QUIC), and streams carry what these lose. Default true. */
  readonly datagrams?: boolean;
  /** Bytes of bundles, whole or in part, that all contacts hold together for the node; further ones are refused. Default 256 MiB. */
  readonly maxHeldBytes?: number;
  /** Limit from dialling to the peer's hello in milliseconds, default 10 s. */
  readonly openTimeoutMs?: number;
  /** A peer with which nothing moves for so long while a bundle is on its way is left, in milliseconds, default 60 s. */
  readonly stallTimeoutMs?: number;
  /** Limit from the wish of either side to end until both have, in milliseconds, default 10 s. */
  readonly endTimeoutMs?: number;
}

type Settings =
  & Required<Omit<HtxLayerOptions, "listen">>
  & Pick<HtxLayerOptions, "listen">;

const DEFAULTS = {
  clock: systemClock,
  maxBundleBytes: 134_217_728,
  maxContacts: 1_024,
  sending: { maxCount: 1_024, maxBytes: 67_108_864 },
  receiving: { maxCount: 1_024, maxBytes: 67_108_864 },
  datagrams: true,
  maxHeldBytes: 268_435_456,
  openTimeoutMs: 10_000,
  stallTimeoutMs: 60_000,
  endTimeoutMs: 10_000,
} as const;

/** Bundles over sessions of HTX, each on a stream or in a datagram of its own, acknowledged by the peer (profile section 13). */
export class HtxLayer implements ConvergenceLayer {
  /** `"htx"`. */
  readonly name = "htx";
  readonly #options: Settings;
  readonly #contact: HtxContactOptions;
  #accepted = 0;

  /**
   * Opens nothing yet.
   *
   * @throws {BundleError} `eid` if the node id is none.
   * @throws {RangeError} If it is too long, or a bound that the peer is told is out of its range.
   */
  constructor(options: HtxLayerOptions) {
    this.#options = { ...DEFAULTS, ...options };
    const { nodeId, maxBundleBytes, receiving, maxHeldBytes } = this.#options;
    const takesDatagrams = this.#options.datagrams;
    encodeHello({ nodeId, maxBundleBytes, receiving, takesDatagrams });
    const budget = new cla.ByteBudget(maxHeldBytes);
    this.#contact = { ...this.#options, budget };
  }

  /** As {@link ConvergenceLayer.dial}. */
  async dial(
    address: Address,
    { signal }: DialOptions = {},
  ): Promise<Contact> {
    signal?.throwIfAborted();
    const { clock, openTimeoutMs, dial } = this.#options;
    using deadline = new Deadline(clock, openTimeoutMs, { signal });
    try {
      const session = await dial(address, { signal: deadline.signal });
      return await this.#open(session, "dialer", deadline.signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw contactErrorOf(error);
    }
  }

  /**
   * As {@link ConvergenceLayer.listen}; 256 contacts open at once, 128 wait to be taken.
   *
   * @throws {TypeError} If the layer was given no `listen`.
   */
  async listen(address: Address): Promise<ContactListener> {
    const { clock, openTimeoutMs, listen } = this.#options;
    if (!listen) throw new TypeError("To listen takes a `listen` of sessions");
    const sessions = await listen(address);
    return new HandshakeListener<Session, Contact>(
      {
        address: sessions.address,
        arrivals: sessions,
        handshake: (session, signal) => this.#take(session, signal),
        close: () => sessions.close(),
      },
      clock,
      openTimeoutMs,
    );
  }

  async #take(session: Session, signal: AbortSignal): Promise<Contact> {
    if (this.#accepted >= this.#options.maxContacts) {
      await session.close({ code: CLOSE_CODE.limitExceeded });
      throw new RangeError("There are as many contacts as may be");
    }
    this.#accepted++;
    void session.closed.then(() => this.#accepted--);
    return await this.#open(session, "listener", signal);
  }

  #open(
    session: Session,
    role: ContactRole,
    signal: AbortSignal,
  ): Promise<Contact> {
    const { nodeId } = this.#options;
    return openContact(session, role, nodeId, this.#contact, signal);
  }
}
