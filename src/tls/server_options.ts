import type { CryptoProvider } from "../core/crypto/mod.ts";
import type { ClientOffer } from "./client_offer.ts";
import type { Preferences, ServerChoice } from "./negotiate.ts";
import type { ServerCertificate } from "./server_certificate.ts";
import { SERVER_GROUPS, type ServerGroup } from "./server_key_share.ts";
import type { ApplicationSettings } from "./server_messages.ts";
import { CIPHER_SUITE, type CipherSuite } from "./suite.ts";
import type { TicketKeys } from "./ticket_keys.ts";

/** What a server takes first of what a client offers, best first. */
export interface ServerPreferences {
  /** Cipher suites; a client that puts ChaCha20-Poly1305 first gets it, as it has no AES hardware. */
  readonly suites?: readonly CipherSuite[];
  /** Whether the client's order of suites goes before ours, as with nginx; `false` if not given. */
  readonly followsClient?: boolean;
  /** Groups; one that the client sent a share for goes before others. */
  readonly groups?: readonly ServerGroup[];
}

/** Options of `TlsServer`. */
export interface TlsServerOptions {
  /** Certificates; the first is for clients that name no host we know. */
  readonly certificates: readonly ServerCertificate[];
  /** Application protocols, best first; empty if not given: those of clients are passed over. */
  readonly alpn?: readonly string[];
  /**
   * Cipher suites and groups, best first: if not given AES-256, ChaCha20, AES-128, as OpenSSL has them, and every group,
   * the hybrid one first.
   */
  readonly preferences?: ServerPreferences;
  /** Seal and open the tickets; none are sent or taken if not given, or if `clientCertificates` is. */
  readonly tickets?: TicketKeys;
  /** Tickets after a full handshake, each in a record of its own; 2 if not given, as OpenSSL. After a resumed one it is 1 at most. */
  readonly ticketCount?: number;
  /** Whether a HelloRetryRequest has a cookie of 32 random bytes; `false` if not given. */
  readonly sendsCookie?: boolean;
  /** Whether certificates are compressed for clients that offer brotli (RFC 8879); `true` if not given. */
  readonly compressesCertificates?: boolean;
  /** Our settings by application protocol, for clients that offer ALPS for it (draft-vvv-tls-alps); none if not given. */
  readonly applicationSettings?: Readonly<Record<string, Uint8Array>>;
  /** Asks for a certificate of the client, which is to be judged by `certificatesToJudge`; if `require`, none ends the connection. */
  readonly clientCertificates?: "request" | "require";
  /** The primitives. */
  readonly crypto: CryptoProvider;
  /** The time in milliseconds since 1970, for tickets. */
  readonly wallTime: () => number;
}

const DEFAULT_SUITES = [
  CIPHER_SUITE.aes256GcmSha384,
  CIPHER_SUITE.chacha20Poly1305Sha256,
  CIPHER_SUITE.aes128GcmSha256,
] as const;

/** What `options` have to negotiate with. */
export function preferencesOf(options: TlsServerOptions): Preferences {
  const { alpn = [], certificates, tickets, wallTime } = options;
  const {
    suites = DEFAULT_SUITES,
    groups = SERVER_GROUPS,
    followsClient = false,
  } = options.preferences ?? {};
  const preferences = { alpn, certificates, suites, groups, followsClient };
  // a ticket does not say whom a client has proved to be
  if (!tickets || options.clientCertificates) return preferences;
  const openTicket = (ticket: Uint8Array) => tickets.open(ticket, wallTime());
  return { ...preferences, openTicket };
}

/** The application settings to send, in the client's extension for them, if both sides have some for the protocol chosen. */
export function settingsFor(
  { applicationSettings }: ClientOffer,
  { alpn = "" }: ServerChoice,
  options: TlsServerOptions,
): ApplicationSettings | undefined {
  const data = options.applicationSettings?.[alpn];
  for (const [type, protocols] of data ? applicationSettings : []) {
    if (protocols.includes(alpn)) return { type, data: data! };
  }
  return undefined;
}
