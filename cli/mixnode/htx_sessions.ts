import { type Clock, systemClock } from "../../src/core/async/mod.ts";
import { encodeHex } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  type X25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import type { Logger } from "../../src/core/log/mod.ts";
import type { Address, Connection } from "../../src/core/transport/mod.ts";
import { htx } from "../../mod.ts";
import { PROXY_DEFAULTS } from "../htx/proxy_config.ts";
import { Route, type RouteConfig } from "../htx/route.ts";
import type { SessionConfig } from "../htx/session_config.ts";
import { carrierAddress } from "../htx/htx_address.ts";

/** Options of {@link HtxSessions}. */
export interface HtxSessionsOptions {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Told of sessions, and why there are none. */
  readonly log: Logger;
  /** How sessions are tuned; as `betanet-htx proxy` does by default. */
  readonly session?: SessionConfig;
  /** A session without streams for this long is closed, in milliseconds. Default 60,000. */
  readonly idleMs?: number;
  /** Times it. */
  readonly clock?: Clock;
}

/** A server, and the session with it while somebody needs one. */
interface Peer {
  readonly route: Route;
  readonly dialer: htx.SessionDialer;
  /** Streams that are open or being opened. */
  streams: number;
  cancelIdle: () => void;
}

const IDLE_MS = 60_000;
/** Whoever wants a link waits no longer for its connection. */
const DIAL_MS = 10_000;
/** Whoever wants a link makes its own pauses, which are longer. */
const PAUSES = { minPauseMs: 50, maxPauseMs: 500 };

/** Sessions to the `htx:` addresses of nodes: one for each, shared by the streams that are opened there. */
export class HtxSessions implements AsyncDisposable {
  readonly #options: HtxSessionsOptions;
  readonly #clock: Clock;
  readonly #config: RouteConfig;
  readonly #keyPair: X25519KeyPair;
  readonly #peers = new Map<string, Peer>();
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  /** Opens none yet; servers know us by a key of this run. */
  constructor(options: HtxSessionsOptions) {
    const { crypto, clock = systemClock, session } = options;
    this.#options = options;
    this.#clock = clock;
    this.#config = { ...PROXY_DEFAULTS, ...session && { session } };
    this.#keyPair = generateX25519(crypto);
  }

  /** Sessions that stand, or that are wanted. */
  get size(): number {
    return this.#peers.size;
  }

  /**
   * Opens a stream at `address` of the node that `peerRecord` is of, and a session before that if there is none.
   *
   * @throws {DecodeError} If the record is not of the form.
   * @throws {HtxError} If the record does not hold, as `dialHtx` throws, or `closed` after disposal.
   * @throws {TransportError} If nobody answers there.
   * @throws The reason of the signal.
   */
  async open(
    address: Address,
    peerRecord: Uint8Array,
    signal: AbortSignal,
  ): Promise<Connection> {
    if (this.#isClosed) {
      throw new htx.HtxError("closed", "The sessions are closed");
    }
    const record = htx.verifyPeerRecord(this.#options.crypto, peerRecord, {
      wallTimeMs: this.#clock.wallTime(),
    });
    const key = keyOf(address, record);
    const peer = this.#peers.get(key) ?? this.#add(key, address, record);
    peer.cancelIdle();
    peer.streams++;
    const onEnd = () => {
      if (--peer.streams === 0) this.#idle(key, peer);
    };
    try {
      const stream = await peer.dialer.open({ signal });
      void stream.closed.then(onEnd);
      return stream;
    } catch (error) {
      onEnd();
      throw error;
    }
  }

  /** Closes every session. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const [key, peer] of this.#peers) this.#remove(key, peer);
    await Promise.all(this.#closing);
  }

  #add(key: string, address: Address, record: htx.PeerRecord): Peer {
    const { crypto, log } = this.#options;
    const route = new Route({
      ...{ config: this.#config, keyPair: this.#keyPair, crypto, log },
      record: { ...record, addresses: [carrierAddress(address)] },
    });
    const dialer = new htx.SessionDialer(async (signal) => {
      try {
        const session = await route.dial({ signal, timeoutMs: DIAL_MS });
        log.info("htx.session_opened", { address });
        return session;
      } catch (error) {
        if (!signal.aborted) log.warn("htx.session_failed", { address, error });
        throw error;
      }
    }, { ...PAUSES, clock: this.#clock });
    const peer = { route, dialer, streams: 0, cancelIdle: () => {} };
    this.#peers.set(key, peer);
    return peer;
  }

  #idle(key: string, peer: Peer): void {
    if (this.#peers.get(key) !== peer) return;
    const { idleMs = IDLE_MS } = this.#options;
    const onIdle = () => this.#remove(key, peer);
    peer.cancelIdle = this.#clock.setTimeout(onIdle, idleMs);
  }

  #remove(key: string, { dialer, route, cancelIdle }: Peer): void {
    this.#peers.delete(key);
    cancelIdle();
    const closing = dialer.close().finally(() => {
      route[Symbol.dispose]();
      this.#closing.delete(closing);
    });
    this.#closing.add(closing);
  }
}

/** What of a record, and where, makes a session another one. */
function keyOf(
  address: Address,
  { staticKey, tickets, certificate }: htx.PeerRecord,
): string {
  return JSON.stringify([
    address,
    encodeHex(staticKey),
    tickets.map(htx.formatTicketOffer),
    certificate && encodeHex(certificate),
  ]);
}
