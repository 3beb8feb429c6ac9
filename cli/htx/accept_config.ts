import { decodeBase64Url, encodeBase64Url } from "../../src/core/bytes/mod.ts";
import {
  type ConfigOf,
  duration,
  integer,
  list,
  number,
  parsed,
  section,
  string,
} from "../../src/core/config/mod.ts";
import { htx } from "../../mod.ts";
import { roots, type SessionConfig } from "./session_config.ts";

/** What decides who gets a session, and what everybody else sees: the same in every program that accepts sessions. */

/** The operator's own certificate. */
export const certificate = string({
  doc:
    "PEM file of the certificate chain; the self-signed one of the state, which the record names, if absent",
}).optional();

/** Its private key. */
export const certificateKey = string({
  doc: "PEM file of its private key, PKCS #8",
}).optional();

const publicKey = parsed({
  want: "a public key: 43 base64url characters",
  parse(text) {
    const key = decodeBase64Url(text);
    if (key.length !== 32) throw new RangeError("Want 32 bytes");
    return key;
  },
  format: encodeBase64Url,
});

/** Who gets a session. */
export const clients = list(publicKey, {
  default: [],
  doc: "public keys of the clients that are taken; all if empty",
});

/** How many sessions there may be. */
export const maxSessions = integer({
  min: 1,
  max: 100_000,
  default: 4_096,
  doc: "sessions at once; connections beyond get the decoy",
});

/** How long a visitor may take. */
export const handshakeTimeout = duration({
  min: "100ms",
  max: "5m",
  default: "10s",
  doc: "for the first request to be whole, and again for the handshake",
});

/** The section of tickets. */
export const tickets = section({
  policy: parsed({
    want: "v1; carriers=…; len=…",
    parse: htx.parseTicketPolicy,
    format: htx.formatTicketPolicy,
    default: htx.DEFAULT_TICKET_POLICY,
    doc: "carriers with their odds, and padding (§5.2)",
  }),
  cookie: string({
    pattern: /[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}/,
    default: "__Host-sid",
    doc: "name of the cookie that carries tickets",
  }),
  lifetime: duration({
    min: "1d",
    max: "3650d",
    default: "90d",
    doc: "how long a ticket key is accepted",
  }),
  overlap: duration({
    min: "1h",
    max: "3650d",
    default: "30d",
    doc: "how long before its end the next key is made",
  }),
  burst: integer({
    min: 1,
    max: 1_000_000,
    default: 60,
    doc: "tickets that an IPv4 /24 or IPv6 /56 can use at once",
  }),
  per_second: number({
    min: 0.001,
    max: 1_000_000,
    default: 1,
    doc: "tickets that come back to it each second",
  }),
});

/** The section of what visitors without a ticket see. */
export const decoy = section({
  origin: string({
    doc:
      'web server that visitors without a ticket see, "host:port" or "https://host:port"',
  }).optional(),
  server_name: string({
    doc: "name to ask an https origin for; its host if absent",
  }).optional(),
  roots: roots(
    'who vouches for an https origin: "system", or a PEM file',
  ),
  directory: string({
    doc: "folder with a static site for them; a placeholder if neither",
  }).optional(),
});

/** What a section of tickets says. */
export type TicketsConfig = ConfigOf<typeof tickets>;

/** What a section of the decoy says. */
export type DecoyConfig = ConfigOf<typeof decoy>;

/** What a program that accepts sessions is told. */
export interface AcceptConfig {
  /** Sessions at once. */
  readonly max_sessions: number;
  /** For the first request, and again for the handshake, in milliseconds. */
  readonly handshake_timeout: number;
  /** Tickets. */
  readonly tickets: TicketsConfig;
  /** What others see. */
  readonly decoy: DecoyConfig;
  /** The sessions themselves. */
  readonly session: SessionConfig;
}
