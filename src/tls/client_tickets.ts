import { type Bytes, Reader } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { EXTENSION } from "../utls/mod.ts";
import { ticketPsk } from "./key_schedule.ts";
import { findExtension } from "./messages/extensions.ts";
import {
  decodeNewSessionTicket,
  MAX_TICKET_LIFETIME_S,
} from "./messages/new_session_ticket.ts";
import { checkStatements } from "./server_extensions.ts";
import type { Session } from "./session_cache.ts";
import type { Suite } from "./suite.ts";

/** What a {@link ClientTickets} starts from. */
export interface ClientTicketsInit {
  /** The primitives. */
  readonly crypto: CryptoProvider;
  /** The connection's suite. */
  readonly suite: Suite;
  /** The resumption secret, taken over. */
  readonly secret: Bytes;
  /** The certificates that were verified. */
  readonly peerCertificates: readonly Bytes[];
  /** Until when they are trusted without being judged again, in milliseconds since 1970. */
  readonly trustedUntilMs: number;
}

const MAX_TICKETS = 16;
const MAX_TICKET_BYTES = 1 << 12;
const MAX_CHAIN_BYTES = 1 << 16;

/**
 * Makes sessions of a server's tickets: of the first 16 only, of none above 4 KiB, and none if its certificates have more than
 * 64 KiB.
 */
export class ClientTickets implements Disposable {
  readonly #init: ClientTicketsInit;
  readonly #limit: number;
  readonly #lengths: number[] = [];
  #count = 0;
  #sessions: Omit<Session, "receivedAtMs">[] = [];

  /** Starts after the handshake. */
  constructor(init: ClientTicketsInit) {
    this.#init = init;
    let chainBytes = 0;
    for (const der of init.peerCertificates) chainBytes += der.length;
    this.#limit = chainBytes > MAX_CHAIN_BYTES ? 0 : MAX_TICKETS;
  }

  /** Lengths in bytes of the tickets that came, of the first 16. */
  get lengths(): readonly number[] {
    return this.#lengths;
  }

  /**
   * Takes a NewSessionTicket (RFC 8446 §4.6.1); one with no lifetime is dropped, as are those beyond the limits.
   *
   * @throws {DecodeError | TlsError} If it is malformed.
   */
  add(message: Uint8Array): void {
    const { lifetimeS, ageAdd, nonce, ticket, extensions } =
      decodeNewSessionTicket(message);
    checkStatements("NewSessionTicket", extensions);
    const earlyData = findExtension(extensions, EXTENSION.earlyData);
    if (earlyData) checkEarlyData(earlyData);
    if (this.#lengths.length < MAX_TICKETS) this.#lengths.push(ticket.length);
    if (lifetimeS === 0 || this.#count >= this.#limit) return;
    if (ticket.length > MAX_TICKET_BYTES) return; // a hello has no room for it
    this.#count++;
    const { crypto, suite, secret, peerCertificates, trustedUntilMs } =
      this.#init;
    this.#sessions.push({
      cipherSuite: suite.id,
      psk: ticketPsk(crypto, suite, secret, nonce),
      ticket: new Uint8Array(ticket),
      ageAdd,
      lifetimeS: Math.min(lifetimeS, MAX_TICKET_LIFETIME_S),
      peerCertificates,
      trustedUntilMs,
    });
  }

  /** The sessions made since the last call. */
  take(nowMs: number): Session[] {
    const sessions = this.#sessions;
    this.#sessions = [];
    return sessions.map((session) => ({ ...session, receivedAtMs: nowMs }));
  }

  /** Wipes the secret and the keys that were not taken. */
  [Symbol.dispose](): void {
    this.#init.secret.fill(0);
    for (const { psk } of this.take(0)) psk.fill(0);
  }
}

/** RFC 8446 §4.2.10: `max_early_data_size`, which is not used. */
function checkEarlyData(data: Uint8Array): void {
  const r = new Reader(data, "early_data");
  r.u32();
  r.end();
}
