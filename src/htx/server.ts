import {
  BoundedQueue,
  type Clock,
  Deadline,
  systemClock,
} from "../core/async/mod.ts";
import { DecodeError, equal } from "../core/bytes/mod.ts";
import {
  type CryptoProvider,
  nodeProvider,
  type X25519KeyPair,
} from "../core/crypto/mod.ts";
import type { Logger } from "../core/log/mod.ts";
import {
  type Address,
  type Connection,
  type Listener,
  TransportError,
} from "../core/transport/mod.ts";
import { findTicket, type NoTicket, type TicketRequest } from "./carrier.ts";
import { shakeHands } from "./client.ts";
import type { Decoy } from "./decoy.ts";
import { BufferedDuplex } from "./duplex.ts";
import { HtxError } from "./error.ts";
import type { Gate } from "./gate.ts";
import { Handshake, outerExporter } from "./handshake.ts";
import { type Http2Greeting, Http2Search } from "./http2_search.ts";
import { NetworkTally } from "./network_tally.ts";
import { type Parameters, parameters } from "./parameters.ts";
import { CLOSE_CODE } from "./payload.ts";
import { type Protocol, ProtocolTally } from "./protocol_tally.ts";
import { type CloseOptions, Session, type SessionOptions } from "./session.ts";
import { addressPrefix } from "./token_bucket.ts";
import { addStats, emptyTotals, type SessionTotals } from "./totals.ts";
import { WaitingRoom } from "./waiting_room.ts";
import { type Guest, welcome } from "./welcome.ts";

/** Options of {@link HtxServer}. */
export interface HtxServerOptions extends SessionOptions {
  /** Our Noise static key pair. */
  readonly staticKeyPair: X25519KeyPair;
  /** Decides whose ticket is good. */
  readonly gate: Gate;
  /** Serves everybody else. */
  readonly decoy: Decoy;
  /** Name of the cookie that carries tickets. */
  readonly cookieName: string;
  /**
   * What the origin says first over HTTP/2. It is said at once to whoever has agreed on HTTP/2 in TLS, and PING and SETTINGS are
   * acknowledged, so that silence does not tell us from the origin; the decoy's origin must begin with the same. Default: nothing
   * is said before the ticket was judged.
   */
  readonly http2Greeting?: Http2Greeting | undefined;
  /** Static keys of the clients we take; all by default. */
  readonly clients?: readonly Uint8Array[];
  /** What we offer clients; the rest is {@link DEFAULT_PARAMETERS}. */
  readonly parameters?: Partial<Parameters>;
  /** Take clients without ML-KEM-768, until 2026-12-31 only. Default false. */
  readonly classic?: boolean;
  /** Sessions and handshakes at once; those beyond get the decoy. Default 4,096. */
  readonly maxSessions?: number;
  /** Of these, for one /24 or /56; a quarter by default. */
  readonly maxSessionsPerNetwork?: number;
  /** Connections that have not shown a ticket yet; for one beyond, the oldest is sent to the decoy. Default 1,024. */
  readonly maxPending?: number;
  /** Of these, for one /24 or /56; for one beyond, its oldest is sent to the decoy. An eighth by default. */
  readonly maxPendingPerNetwork?: number;
  /** How long a request may take to be whole before it goes to the decoy, in milliseconds. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /** How long the inner handshake may take, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number;
  /** The primitives. Default: those of the runtime. */
  readonly crypto?: CryptoProvider;
  /** Told of refused handshakes and ended sessions. */
  readonly log?: Logger;
  /** Told how long each inner handshake took, in milliseconds. */
  readonly onHandshake?: (durationMs: number) => void;
}

/** What became of the connections so far; tickets are counted by {@link Gate.counts}, decoys by {@link Decoy.counts}. */
export interface HtxServerCounts {
  /** Accepted by a listener. */
  readonly connections: number;
  /** Ended before a request was whole, or sent to the decoy because too many were pending. */
  readonly incomplete: number;
  /** Inner handshakes that gave a session. */
  readonly established: number;
  /** Inner handshakes that were malformed, forged or of a suite we refuse. */
  readonly handshakeRejected: number;
  /** Inner handshakes that took too long or broke off. */
  readonly handshakeBroken: number;
  /** Sessions whose client is not in the list. */
  readonly clientRefused: number;
  /** Connections with a ticket, sent to the decoy because too many sessions were open, or too many of its network. */
  readonly full: number;
}

type Count = keyof HtxServerCounts;

const EMPTY = new Uint8Array(0);

/**
 * Accepts HTX sessions: an async iterable of those whose ticket and handshake were good.
 *
 * A connection whose first request carries no valid ticket goes to the decoy, byte for byte, and learns nothing.
 */
export class HtxServer implements AsyncDisposable, AsyncIterable<Session> {
  readonly #options: HtxServerOptions;
  readonly #clock: Clock;
  readonly #crypto: CryptoProvider;
  readonly #listeners: readonly Listener[];
  readonly #sessions = new Set<Session>();
  readonly #queue: BoundedQueue<Session>;
  readonly #connections = new Set<Connection>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #counts: Record<Count, number> = {
    connections: 0,
    incomplete: 0,
    established: 0,
    handshakeRejected: 0,
    handshakeBroken: 0,
    clientRefused: 0,
    full: 0,
  };
  readonly #byProtocol = new ProtocolTally();
  readonly #ended = emptyTotals();
  readonly #parameters: Parameters;
  readonly #waiting: WaitingRoom;
  /** Sessions and handshakes. */
  readonly #places = new NetworkTally();

  /**
   * Accepts from `listeners` at once and owns them.
   *
   * @throws {RangeError} If a parameter is outside its range; nothing is owned then.
   */
  constructor(listeners: readonly Listener[], options: HtxServerOptions) {
    const { maxPending = 1_024 } = options;
    this.#parameters = parameters(options.parameters);
    this.#waiting = new WaitingRoom({
      max: maxPending,
      maxPerNetwork: options.maxPendingPerNetwork ?? Math.ceil(maxPending / 8),
    });
    this.#listeners = listeners;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#crypto = options.crypto ?? nodeProvider;
    this.#queue = new BoundedQueue({ capacity: this.#maxSessions });
    for (const listener of listeners) this.#run(this.#accept(listener));
  }

  /** Where it listens. */
  get addresses(): Address[] {
    return this.#listeners.map(({ address }) => address);
  }

  /** Sessions open now. */
  get sessions(): ReadonlySet<Session> {
    return this.#sessions;
  }

  /** What all sessions did, those that have ended included. */
  get totals(): SessionTotals {
    const totals = { ...this.#ended };
    for (const { stats } of this.#sessions) addStats(totals, stats);
    return totals;
  }

  /** What became of the connections so far. */
  get counts(): HtxServerCounts {
    return { ...this.#counts };
  }

  /** How many connections were accepted, by the protocol agreed on in TLS. */
  get connections(): Readonly<Record<Protocol, number>> {
    return this.#byProtocol.counts;
  }

  /** Sessions as they are established; several loops share them. */
  [Symbol.asyncIterator](): AsyncIterator<Session> {
    return this.#queue[Symbol.asyncIterator]();
  }

  /** Takes no more connections, and ends the iteration behind the sessions that wait; they and those taken live on. */
  stop(): void {
    for (const listener of this.#listeners) listener.close();
    this.#queue.close();
  }

  /** Stops accepting, closes every session as `options` say, and lets go of everything. */
  async close(options: CloseOptions = {}): Promise<void> {
    this.stop();
    await Promise.all([...this.#sessions].map((s) => s.close(options)));
    this.#closing.abort(new HtxError("closed", "Server is closing"));
    for (const connection of this.#connections) connection.close();
    await Promise.all(this.#tasks);
  }

  /** As {@link close} without options. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #maxSessions(): number {
    return this.#options.maxSessions ?? 4_096;
  }

  #isFull(network: string): boolean {
    const { maxSessionsPerNetwork = Math.ceil(this.#maxSessions / 4) } =
      this.#options;
    return this.#places.total >= this.#maxSessions ||
      this.#places.of(network) >= maxSessionsPerNetwork;
  }

  #run(task: Promise<void>): void {
    this.#tasks.add(task);
    void task.finally(() => this.#tasks.delete(task));
  }

  async #accept(listener: Listener): Promise<void> {
    for await (const connection of listener) {
      this.#counts.connections++;
      this.#byProtocol.add(connection.alpn);
      this.#run(this.#serve(connection));
    }
  }

  async #serve(connection: Connection): Promise<void> {
    this.#connections.add(connection);
    try {
      await this.#admit(connection);
    } catch (error) {
      connection.close();
      if (!(error instanceof TransportError)) this.#fault(error);
    } finally {
      this.#connections.delete(connection);
    }
  }

  async #admit(connection: Connection): Promise<void> {
    const { gate, decoy, cookieName } = this.#options;
    const { alpn } = connection;
    const visitor = new BufferedDuplex(connection);
    const search = alpn === "h2"
      ? new Http2Search(cookieName, this.#options.http2Greeting)
      : undefined;
    const found = await this.#request(visitor, connection, search);
    if (!found) this.#counts.incomplete++;
    const verdict = gate.admit(found ? ticketOf(found) : "none", {
      remoteAddress: connection.remoteAddress,
      wallTimeMs: this.#clock.wallTime(),
      nowMs: this.#clock.now(),
    });
    const network = addressPrefix(connection.remoteAddress);
    if (verdict.admitted && this.#isFull(network)) this.#counts.full++;
    else if (verdict.admitted) {
      this.#places.add(network);
      const session = await this.#establish({
        connection,
        visitor,
        request: found as TicketRequest,
        search,
      }, verdict.ticketHash);
      if (session) this.#start(session, network);
      else this.#places.remove(network);
      return;
    }
    const { signal } = this.#closing;
    await decoy.serve(visitor, EMPTY, { signal, alpn, greeting: search?.said });
  }

  /** The first request, or `undefined` if it does not become whole in time, or before the visitor has to give way. */
  async #request(
    visitor: BufferedDuplex,
    connection: Connection,
    search: Http2Search | undefined,
  ): Promise<TicketRequest | NoTicket | undefined> {
    const { cookieName, requestTimeoutMs = 10_000 } = this.#options;
    const late = Promise.withResolvers<false>();
    const giveUp = () => late.resolve(false);
    using _place = this.#waiting.enter(connection.remoteAddress, giveUp);
    const cancel = this.#clock.setTimeout(giveUp, requestTimeoutMs);
    try {
      for (let searched = 0;;) {
        const { buffered } = visitor;
        const found = search
          ? search.find(buffered, this.#clock.now())
          : findTicket(buffered, cookieName, searched);
        if (found) return found;
        const spoken = search?.speak(connection).then(() => true) ?? true;
        if (!await Promise.race([spoken, late.promise])) {
          throw new TransportError("reset", "Visitor takes no bytes");
        }
        searched = buffered.length;
        const more = await Promise.race([visitor.fill(), late.promise]);
        if (!more) return undefined;
      }
    } catch (error) {
      this.#counts.incomplete++;
      throw error;
    } finally {
      cancel();
    }
  }

  async #establish(
    guest: Guest,
    ticketHash: Uint8Array,
  ): Promise<Session | undefined> {
    const { handshakeTimeoutMs = 10_000 } = this.#options;
    const { connection } = guest;
    using deadline = new Deadline(this.#clock, handshakeTimeoutMs);
    deadline.signal.addEventListener("abort", () => connection.close());
    const startedAtMs = this.#clock.now();
    try {
      const admission = await welcome(guest, {
        clock: this.#clock,
        crypto: this.#crypto,
      });
      const handshake = new Handshake({
        role: "server",
        crypto: this.#crypto,
        staticKeyPair: this.#options.staticKeyPair,
        ticketHash,
        parameters: this.#parameters,
        classic: this.#options.classic ?? false,
        wallTimeMs: this.#clock.wallTime(),
        ...outerExporter(connection),
      });
      const established = await shakeHands(
        admission.connection,
        handshake,
        admission.leftover,
        () => this.#clock.now(),
      );
      this.#options.onHandshake?.(this.#clock.now() - startedAtMs);
      return new Session(
        { connection: admission.connection, datagrams: connection.datagrams },
        established,
        this.#options,
      );
    } catch (error) {
      this.#reject(error);
      connection.close();
      return undefined;
    }
  }

  #start(session: Session, network: string): void {
    const { clients, log } = this.#options;
    this.#run(session.closed.then(() => this.#places.remove(network)));
    if (
      clients && !clients.some((key) => equal(key, session.remoteStaticKey))
    ) {
      this.#counts.clientRefused++;
      this.#run(
        session.close({ code: CLOSE_CODE.policyRejected }).then(() => {}),
      );
      return;
    }
    this.#counts.established++;
    this.#sessions.add(session);
    this.#run(session.closed.then(({ code, error }) => {
      this.#sessions.delete(session);
      addStats(this.#ended, session.stats);
      log?.info("htx.session_ended", { code, ...(error && { error }) });
    }));
    if (!this.#queue.offer(session)) {
      this.#run(
        session.close({ code: CLOSE_CODE.limitExceeded }).then(() => {}),
      );
    }
  }

  #reject(error: unknown): void {
    const { log } = this.#options;
    if (error instanceof HtxError || error instanceof DecodeError) {
      this.#counts.handshakeRejected++;
    } else {
      this.#counts.handshakeBroken++;
      if (!(error instanceof TransportError)) return this.#fault(error);
    }
    log?.info("htx.handshake_failed", { error });
  }

  /** An error that no peer should be able to cause: one connection is lost, the server goes on. */
  #fault(error: unknown): void {
    this.#options.log?.error("htx.connection_fault", { error });
  }
}

function ticketOf(found: TicketRequest | NoTicket): Uint8Array | NoTicket {
  return typeof found === "string" ? found : found.payload;
}
