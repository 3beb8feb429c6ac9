import { type Bytes, Reader, Writer } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { ticketPsk } from "./key_schedule.ts";
import { encodeNewSessionTicket } from "./messages/new_session_ticket.ts";
import type { Suite } from "./suite.ts";
import type { TicketKeys } from "./ticket_keys.ts";

const NONCE_LENGTH = 8; // as OpenSSL

/** What the tickets of one connection have in common. */
export interface TicketIssue {
  /** The primitives. */
  readonly crypto: CryptoProvider;
  /** Seal the tickets. */
  readonly keys: TicketKeys;
  /** The connection's suite. */
  readonly suite: Suite;
  /** SHA-256 of the server name. */
  readonly serverNameHash: Uint8Array;
  /** The server name. */
  readonly serverName: string | undefined;
  /** The application protocol. */
  readonly alpn: string | undefined;
  /** The time, in milliseconds since 1970. */
  readonly wallTimeMs: number;
  /** When the first handshake was that the session goes on from, in milliseconds since 1970. */
  readonly firstHandshakeAtMs: number;
}

/** `count` NewSessionTicket messages for sessions that go on from `resumptionSecret` (RFC 8446 §4.6.1). */
export function issueTickets(
  issue: TicketIssue,
  resumptionSecret: Uint8Array,
  count: number,
): Bytes[] {
  const { crypto, keys, suite, serverNameHash, wallTimeMs } = issue;
  return Array.from({ length: count }, (_, i) => {
    const nonce = new Writer(NONCE_LENGTH).u64(BigInt(i)).finish();
    const psk = ticketPsk(crypto, suite, resumptionSecret, nonce);
    const ageAdd = new Reader(crypto.random(4), "random").u32();
    const ticket = keys.seal({
      cipherSuite: suite.id,
      issuedAtMs: wallTimeMs,
      firstHandshakeAtMs: issue.firstHandshakeAtMs,
      ageAdd,
      serverNameHash,
      psk,
    }, issue);
    psk.fill(0);
    const lifetimeS = Math.ceil(keys.lifetimeMs / 1_000);
    return encodeNewSessionTicket({
      lifetimeS,
      ageAdd,
      nonce,
      ticket,
      extensions: [],
    });
  });
}
