import { type Clock, Deadline, systemClock } from "../core/async/mod.ts";
import { type CryptoProvider, defaultProvider } from "../core/crypto/mod.ts";
import { type Address, type Connection, dial } from "../core/transport/mod.ts";
import { hostName, type Profile, profileOf } from "../utls/mod.ts";
import { TlsClient } from "./client.ts";
import { TlsConnection } from "./connection.ts";
import { completeHandshake } from "./handshake.ts";
import { type OfferMaker, profileOffers } from "./offer_maker.ts";
import type { SessionCache } from "./session_cache.ts";
import type { CertificateVerifier } from "./verify.ts";

/** Options of {@link dialTls}. */
export interface DialTlsOptions {
  /**
   * The host that the certificate must be for: a DNS name, which the hello carries, or an IP address. It is taken as
   * browsers take the host of a URL: a name in lower case and ASCII.
   */
  readonly serverName: string;
  /** Decides whether the server's certificates are good; not asked when a session is resumed. */
  readonly verify: CertificateVerifier;
  /** The browser whose hellos are sent, default the newest known; draws nothing if `offers` is given. */
  readonly profile?: Profile;
  /** What the connection is for, default `"page"`; draws nothing if `offers` is given. */
  readonly variant?: "page" | "websocket";
  /** Protocols to offer instead of those of the variant; draws nothing if `offers` is given. */
  readonly alpn?: readonly string[];
  /** Makes other hellos than those of `profile`; sessions are kept apart by `variant` and `alpn` still. */
  readonly offers?: OfferMaker;
  /** Where sessions are taken from and put; without it none is resumed. */
  readonly sessions?: SessionCache;
  /** Whether a session is taken from there. Default true. */
  readonly resume?: boolean;
  /**
   * Application data to send in the same write as our Finished, each array in records of its own; what it throws ends the
   * connection, and {@link dialTls} rejects with it.
   */
  readonly firstFlight?: (
    alpn: string | undefined,
    agreed: Pick<TlsConnection, "resumed">,
  ) => readonly Uint8Array[];
  /** The primitives, default {@link defaultProvider}. */
  readonly crypto?: CryptoProvider;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Limit of connecting and handshake together in milliseconds, default 10 s. */
  readonly timeoutMs?: number;
  /** Cancels the attempt; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 10_000;

/**
 * Opens a TLS 1.3 connection as a browser would, to an address or over a connection, which it takes over.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MemoryNetwork, selfSigned } from "../core/transport/mod.ts";
 * import {
 *   dialTls,
 *   listenTls,
 *   parsePem,
 *   pinnedVerifier,
 *   serverCertificate,
 * } from "./mod.ts";
 *
 * const { certPem, keyPem } = await selfSigned({ names: ["server.example"] });
 * const network = new MemoryNetwork();
 * await using listener = listenTls(
 *   await network.transport("server").listen("memory://server"),
 *   {
 *     certificates: [serverCertificate({ chainPem: certPem, keyPem })],
 *     alpn: ["h2", "http/1.1"],
 *   },
 * );
 * await using connection = await dialTls(
 *   await network.transport("client").dial(listener.address),
 *   {
 *     serverName: "server.example",
 *     verify: pinnedVerifier(parsePem(certPem)[0]!),
 *   },
 * );
 * assertEquals(connection.alpn, "h2");
 * ```
 *
 * @throws {TlsError} If the server breaks the protocol, refuses, speaks no TLS 1.3, or is not trusted.
 * @throws {TransportError} If it cannot be reached or the connection breaks.
 * @throws {TypeError} If the address has no known scheme, or the server name is no host.
 * @throws The reason of the signal, or a `TimeoutError`.
 */
export async function dialTls(
  target: Address | Connection,
  givenOptions: DialTlsOptions,
): Promise<TlsConnection> {
  const options = canonical(target, givenOptions);
  const { clock = systemClock, timeoutMs = TIMEOUT_MS } = options;
  using deadline = new Deadline(clock, timeoutMs, {
    ...(options.signal && { signal: options.signal }),
  });
  const { signal } = deadline;
  const transport = typeof target === "string"
    ? await dial(target, { signal })
    : target;
  const client = startClient(transport, options, clock);
  const { serverName, verify, firstFlight } = options;
  await completeHandshake(transport, client, {
    judge: (chain) =>
      verify(chain, { serverName, wallTimeMs: clock.wallTime() }),
    established() {
      const { alpn, resumed } = client.agreement!;
      const flight = firstFlight?.(alpn, { resumed }) ?? [];
      for (const bytes of flight) client.send(bytes);
    },
    signal,
  });
  return new TlsConnection(transport, client, {
    clock,
    received: () => keepSessions(client, transport, options, clock),
    ticketLengths: () => client.ticketLengths,
  });
}

/** `options` with the canonical server name; `target` is closed if there is none. */
function canonical(
  target: Address | Connection,
  options: DialTlsOptions,
): DialTlsOptions {
  try {
    return { ...options, serverName: hostName(options.serverName) };
  } catch (error) {
    if (typeof target !== "string") target.close();
    throw error;
  }
}

function startClient(
  transport: Connection,
  options: DialTlsOptions,
  clock: Clock,
): TlsClient {
  const { crypto = defaultProvider(), profile, resume = true } = options;
  const nowMs = clock.wallTime();
  const sessions = resume ? options.sessions : undefined;
  const session = sessions?.take(sessionHost(transport, options), nowMs);
  try {
    return new TlsClient({
      crypto,
      offers: options.offers ??
        profileOffers(profile ?? profileOf("latest"), { ...options, crypto }),
      nowMs,
      ...(session && { session }),
    });
  } catch (error) {
    session?.psk.fill(0);
    transport.close();
    throw error;
  }
}

function keepSessions(
  client: TlsClient,
  transport: Connection,
  options: DialTlsOptions,
  clock: Clock,
): void {
  for (const session of client.takeSessions(clock.wallTime())) {
    if (options.sessions) {
      options.sessions.put(sessionHost(transport, options), session);
    } else session.psk.fill(0);
  }
}

/** Sessions are for one host, port, list of protocols (RFC 8446 §4.6.1, §C.4) and browser, which shows in what is resumed. */
function sessionHost(
  { remoteAddress }: Connection,
  { serverName, variant = "page", alpn, offers, profile }: DialTlsOptions,
): string {
  const [, port] = /:([0-9]+)(?=\/|$)/.exec(remoteAddress) ?? [];
  const { version, source } = profile ?? profileOf("latest");
  return JSON.stringify([
    serverName,
    port ?? "",
    alpn ?? variant,
    offers ? "own offers" : [version, source],
  ]);
}
