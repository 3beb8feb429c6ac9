import { Deadline, systemClock } from "../core/async/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  nodeProvider,
  type X25519KeyPair,
} from "../core/crypto/mod.ts";
import {
  type Address,
  type Connection,
  dial,
  type DialOptions,
  TransportError,
} from "../core/transport/mod.ts";
import { closeOnAbort } from "./close_on_abort.ts";
import type { Calibrations } from "./calibration.ts";
import { HtxError } from "./error.ts";
import { Handshake, outerExporter } from "./handshake.ts";
import { type Outer, outerFor } from "./outer.ts";
import { type Parameters, parameters } from "./parameters.ts";
import { type Established, Session, type SessionOptions } from "./session.ts";
import { makeTicket, ticketHash } from "./ticket.ts";
import type { TicketOffer } from "./ticket_policy.ts";

/** Options of {@link dialHtx}. */
export interface DialHtxOptions extends SessionOptions {
  /** Where the server is: `tcp://host:port`, `ws://host:port`, `quic://host:port`, or with {@link outer} another. */
  readonly address: Address;
  /** The server's Noise static key, 32 bytes: pinned, or from a signed peer record. */
  readonly staticKey: Uint8Array;
  /** What the server publishes about its tickets. */
  readonly offer: TicketOffer;
  /** Our Noise static key pair, by which the server knows us; a fresh one by default. */
  readonly staticKeyPair?: X25519KeyPair;
  /** The `Host` to ask for; that of the address by default. */
  readonly host?: string;
  /** The path to ask for. Default `/`. */
  readonly path?: string;
  /** What we offer the server; the rest is {@link DEFAULT_PARAMETERS}. */
  readonly parameters?: Partial<Parameters>;
  /** Go without ML-KEM-768, until 2026-12-31 only. Default false. */
  readonly classic?: boolean;
  /** How long it may take until the session stands, in milliseconds. Default 15,000. */
  readonly timeoutMs?: number;
  /** Cancels the attempt. */
  readonly signal?: AbortSignal;
  /** The primitives. Default: those of the runtime. */
  readonly crypto?: CryptoProvider;
  /** How to connect. Default: by the scheme of the address. */
  readonly dial?: (
    address: Address,
    options: DialOptions,
  ) => Promise<Connection>;
  /** How to present the ticket. Default: by the scheme of the address. */
  readonly outer?: Outer;
  /** What is known of the origin; asked before we connect, for `tls:` and `wss:` addresses only. Default: nothing is compared. */
  readonly calibration?: Calibrations;
  /** The ticket waits for it: connection, TLS and the greeting of HTTP/2 do not (§5.6). */
  readonly start?: Promise<unknown>;
}

const TIMEOUT_MS = 15_000;

/**
 * Opens an HTX session: connects, presents a ticket, and does the inner handshake.
 *
 * @throws {HtxError} `refused` if the server shows its decoy, `deviation` if it is not as its origin was in pre-flight, `unauthenticated` if its answer is not of who owns `staticKey`,
 * `incompatible` if we may not use the suite, `timeout` after `timeoutMs`.
 * @throws {TransportError} `unreachable` if nobody answers, `reset` if the connection breaks: so does a server that has another
 * `staticKey` or takes no such suite.
 * @throws {RangeError} If a parameter is outside its range, before it connects.
 * @throws The reason of the signal.
 */
export async function dialHtx(options: DialHtxOptions): Promise<Session> {
  const { timeoutMs = TIMEOUT_MS, clock = systemClock, signal } = options;
  const ours = parameters(options.parameters);
  using deadline = new Deadline(clock, timeoutMs, signal ? { signal } : {});
  try {
    return await connect(options, ours, deadline.signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (deadline.signal.aborted) {
      throw new HtxError("timeout", `No session within ${timeoutMs} ms`);
    }
    throw error;
  }
}

async function connect(
  options: DialHtxOptions,
  ours: Parameters,
  signal: AbortSignal,
): Promise<Session> {
  const { address, crypto = nodeProvider, clock = systemClock } = options;
  const calibration = /^(?:tls|wss):/.test(address)
    ? options.calibration
    : undefined;
  const samples = await calibration?.of(address, { signal });
  const raw = await (options.dial ?? dialCarrier)(address, { signal });
  using _ = closeOnAbort(signal, raw);
  try {
    const ticket = makeTicket(crypto, {
      ticketPublicKey: options.offer.publicKey,
      keyId: options.offer.keyId,
      wallTimeMs: clock.wallTime(),
      minPaddingLength: options.offer.policy.minPaddingLength,
      maxPaddingLength: options.offer.policy.maxPaddingLength,
    });
    const { connection, leftover, channel = raw } = await (
      options.outer ?? outerFor(address)
    )(raw, {
      address,
      host: options.host ?? hostOf(address),
      path: options.path ?? "/",
      offer: options.offer,
      ticket,
      ...(options.start && { start: options.start }),
      ...(samples && { samples }),
    }, crypto);
    const handshake = new Handshake({
      role: "client",
      crypto,
      staticKeyPair: options.staticKeyPair ?? generateX25519(crypto),
      remoteStaticKey: options.staticKey,
      ticketHash: ticketHash(crypto, ticket),
      parameters: ours,
      classic: options.classic ?? false,
      wallTimeMs: clock.wallTime(),
      ...outerExporter(channel),
    });
    const established = await shakeHands(
      connection,
      handshake,
      leftover,
      () => clock.now(),
    );
    const { datagrams } = channel;
    return new Session({ connection, datagrams }, established, options);
  } catch (error) {
    raw.close();
    if (error instanceof HtxError && error.code === "deviation") {
      calibration?.forget(address);
    }
    throw error;
  }
}

/**
 * Moves the messages of `handshake` over `connection` until it has an outcome.
 *
 * @param leftover Bytes that arrived already.
 * @throws {HtxError} As {@link Handshake.feed}.
 * @throws {TransportError} If the connection ends first.
 */
export async function shakeHands(
  connection: Connection,
  handshake: Handshake,
  leftover: Uint8Array,
  now: () => number,
): Promise<Established> {
  if (handshake.role === "client") {
    await connection.write(handshake.start(now()));
  }
  const buffer = new Uint8Array(4_096);
  let bytes = leftover;
  for (;;) {
    const reply = handshake.feed(bytes, now());
    if (reply) await connection.write(reply);
    if (handshake.established) return handshake.established;
    const length = await connection.read(buffer);
    if (length === null) {
      throw new TransportError("reset", "Connection ended in the handshake");
    }
    bytes = buffer.subarray(0, length);
  }
}

/** WebSocket and TLS begin as a TCP connection. */
function dialCarrier(
  address: Address,
  options: DialOptions,
): Promise<Connection> {
  return dial(address.replace(/^(?:wss?|tls):/, "tcp:"), options);
}

function hostOf(address: Address): string {
  return address.replace(/^[a-z]+:\/\//, "").replace(/\/.*$/, "");
}
