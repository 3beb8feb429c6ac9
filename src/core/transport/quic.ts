import {
  BoundedQueue,
  type Clock,
  Deadline,
  systemClock,
} from "../async/mod.ts";
import { QuicStream } from "./_quic_stream.ts";
import { formatAddress, parseAddress } from "./address.ts";
import type {
  Address,
  Connection,
  Datagrams,
  DialOptions,
  Transport,
} from "./connection.ts";
import { TransportError } from "./error.ts";
import {
  HandshakeListener,
  type HandshakeSource,
} from "./handshake_listener.ts";
import { nextStream, QuicConnection } from "./quic_connection.ts";
import type { CertificatePem } from "./self_signed.ts";

const MAX_ARRIVALS = 256;
/** What the dialing side sends first, for the listening side learns of no stream before. */
const FIRST_BYTE = 0x00;

/** Options of both ends of a QUIC connection. */
export interface QuicOptions {
  /** Application protocols in order of preference (RFC 7301); `betanet` if not given. */
  readonly alpnProtocols?: readonly string[];
  /** A connection on which nothing came for this long is over, in milliseconds; 30,000 if not given. */
  readonly idleTimeoutMs?: number;
  /** Silence in milliseconds after which a packet is sent to keep the connection; 10,000 if not given. */
  readonly keepAliveIntervalMs?: number;
  /**
   * Streams that the peer may have open of those it opened, the dialing side's first included.
   * Each may hold 1.25 MB that nobody reads. 1 if not given: enough unless {@link QuicConnection.acceptStream} is used.
   */
  readonly maxStreams?: number;
}

/** Options of {@link dialQuic}. */
export interface QuicDialOptions extends QuicOptions {
  /** Root certificates in PEM that are trusted beside the well-known ones. */
  readonly caCerts?: readonly string[];
  /** The name that the certificate must be for; the host of the address if not given. */
  readonly serverName?: string;
  /** How long the attempt may take, in milliseconds; 10,000 if not given. */
  readonly dialTimeoutMs?: number;
  /** Times the attempt; the machine's clock if not given. */
  readonly clock?: Clock;
}

/** Options of {@link listenQuic}. */
export interface QuicListenOptions extends QuicOptions {
  /** What the listener shows to prove its name. */
  readonly certificate: CertificatePem;
  /** Times handshakes; the machine's clock if not given. */
  readonly clock?: Clock;
}

/** QUIC (RFC 9000) over UDP: `quic://host:port`. It can listen only with a certificate. */
export function quic(
  options: QuicDialOptions & Partial<QuicListenOptions> = {},
): Transport {
  return {
    scheme: "quic",
    dial: (address, dialOptions) =>
      dialQuic(address, { ...options, ...dialOptions }),
    listen: async (address) => {
      const { certificate } = options;
      if (!certificate) throw new TypeError("Want a certificate to listen");
      return await listenQuic(address, { ...options, certificate });
    },
  };
}

/**
 * One byte connection that is a whole QUIC connection: its first stream, and its datagrams.
 *
 * Closing it closes the QUIC connection, with what was written and not yet read by the peer; ending both sides first
 * closes it once both have read everything.
 */
export interface QuicByteConnection extends Connection {
  /** The connection, for further streams. */
  readonly quic: QuicConnection;
  /** The connection's datagrams. */
  readonly datagrams: Datagrams;
}

/**
 * Connects to `quic://host:port` and opens the first stream.
 *
 * @throws {TransportError} `unreachable` if nobody answers in time or the certificate does not hold.
 * @throws The reason of the signal.
 */
export async function dialQuic(
  address: Address,
  options: QuicDialOptions & DialOptions = {},
): Promise<QuicByteConnection> {
  const { hostname, port } = parseAddress(address);
  const { signal, clock = systemClock, dialTimeoutMs = 10_000 } = options;
  signal?.throwIfAborted();
  const endpoint = clientEndpoint(hostname);
  using deadline = new Deadline(clock, dialTimeoutMs, { signal });
  const onAbort = () => endpoint.close();
  deadline.signal.addEventListener("abort", onAbort, { once: true });
  try {
    const conn = await Deno.connectQuic({
      ...transportOptions(options),
      hostname,
      port,
      endpoint,
      serverName: options.serverName,
      caCerts: [...options.caCerts ?? []],
    });
    const stream = await conn.createBidirectionalStream();
    const quic = new QuicConnection(conn, () => endpoint.close());
    const connection = new FirstStream(quic, stream);
    await connection.write(new Uint8Array([FIRST_BYTE]));
    deadline.signal.throwIfAborted();
    return connection;
  } catch (cause) {
    endpoint.close();
    signal?.throwIfAborted();
    throw new TransportError("unreachable", `Cannot reach ${address}`, {
      cause,
    });
  } finally {
    deadline.signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Listens at `quic://host:port`.
 *
 * @throws {TransportError} `in_use` if the address is taken, `unreachable` if it is not ours or the certificate does
 *   not fit its key.
 */
export function listenQuic(
  address: Address,
  options: QuicListenOptions,
): HandshakeListener<Deno.QuicIncoming> {
  const { hostname, port } = parseAddress(address);
  const { certPem, keyPem } = options.certificate;
  let endpoint: Deno.QuicEndpoint | undefined;
  try {
    endpoint = new Deno.QuicEndpoint({ hostname, port });
    const listener = endpoint.listen({
      ...transportOptions(options),
      cert: certPem,
      key: keyPem,
    });
    return new HandshakeListener(quicSource(listener), options.clock);
  } catch (cause) {
    endpoint?.close();
    const isTaken = cause instanceof Deno.errors.AddrInUse;
    throw new TransportError(
      isTaken ? "in_use" : "unreachable",
      `Cannot listen at ${address}`,
      { cause },
    );
  }
}

class FirstStream extends QuicStream implements QuicByteConnection {
  readonly quic: QuicConnection;
  override readonly datagrams: Datagrams;

  constructor(quic: QuicConnection, stream: Deno.QuicBidirectionalStream) {
    super(quic, stream);
    this.quic = quic;
    this.datagrams = quic.datagrams;
  }

  protected override async drop(cleanly: boolean): Promise<void> {
    if (cleanly) await this.quic.finish();
    else await this.quic[Symbol.asyncDispose]();
    await super.drop(cleanly);
  }
}

/** What a listener accepts; its endpoint lives until it is closed and its last connection is over. */
function quicSource(
  listener: Deno.QuicListener,
): HandshakeSource<Deno.QuicIncoming> {
  const { endpoint } = listener;
  const arrivals = new BoundedQueue<Deno.QuicIncoming>({
    capacity: MAX_ARRIVALS,
  });
  let users = 1;
  const release = () => {
    if (--users === 0) endpoint.close();
  };
  void (async () => {
    try {
      for (;;) {
        const incoming = await listener.incoming();
        if (!arrivals.offer(incoming)) incoming.refuse();
      }
    } catch {
      arrivals.close(); // the endpoint is closed
    }
  })();
  return {
    address: formatAddress({ scheme: "quic", ...endpoint.addr }),
    arrivals,
    handshake: (incoming, signal) => {
      users++;
      return acceptQuic(incoming, release, signal);
    },
    close: () => {
      for (const incoming of arrivals.drain()) incoming.refuse();
      arrivals.close();
      release();
    },
  };
}

async function acceptQuic(
  incoming: Deno.QuicIncoming,
  release: () => void,
  signal: AbortSignal,
): Promise<Connection> {
  const conn = acceptAtOnce(incoming, release);
  const quic = new QuicConnection(conn, release);
  const onAbort = () => quic.close();
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await conn.handshake;
    return await acceptFirstStream(conn, quic);
  } catch (error) {
    await quic[Symbol.asyncDispose]();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** The connection before its handshake is done, for only a connection can be closed. */
function acceptAtOnce(
  incoming: Deno.QuicIncoming,
  release: () => void,
): Deno.QuicConn {
  try {
    return incoming.accept({ zeroRtt: true }); // nothing is read or written before the handshake is done
  } catch (error) {
    release();
    throw error;
  }
}

async function acceptFirstStream(
  conn: Deno.QuicConn,
  quic: QuicConnection,
): Promise<Connection> {
  const stream = await nextStream(conn);
  if (!stream) throw new TransportError("reset", "The connection is over");
  const connection = new FirstStream(quic, stream);
  const first = new Uint8Array(1);
  if (await connection.read(first) !== 1 || first[0] !== FIRST_BYTE) {
    throw new TransportError("malformed", "Want a first byte of 0");
  }
  return connection;
}

function transportOptions(
  {
    alpnProtocols = ["betanet"],
    idleTimeoutMs = 30_000,
    keepAliveIntervalMs = 10_000,
    maxStreams = 1,
  }: QuicOptions,
) {
  return {
    alpnProtocols: [...alpnProtocols],
    maxIdleTimeout: idleTimeoutMs,
    keepAliveInterval: keepAliveIntervalMs,
    maxConcurrentBidirectionalStreams: maxStreams,
    maxConcurrentUnidirectionalStreams: 1, // says that the peer has finished
  };
}

/** An endpoint that reaches both address families, where the machine has both. */
function clientEndpoint(hostname: string): Deno.QuicEndpoint {
  if (/^[0-9.]+$/.test(hostname)) {
    return new Deno.QuicEndpoint({ hostname: "0.0.0.0" });
  }
  try {
    return new Deno.QuicEndpoint({ hostname: "::" });
  } catch {
    return new Deno.QuicEndpoint({ hostname: "0.0.0.0" });
  }
}
