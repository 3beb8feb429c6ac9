import type { Bytes } from "../core/bytes/mod.ts";
import type { ClientHello } from "./client_hello.ts";
import type { KeyShare } from "./key_share.ts";

/** A ClientHello that was drawn for one connection, and what its sender keeps of it. */
export interface Offer extends Disposable {
  /** What is offered. */
  readonly hello: ClientHello;
  /**
   * The handshake message of {@link hello}. With a pre-shared key its last {@link bindersLength} bytes are the binders list,
   * length field included, and zero where the binders go (RFC 8446 §4.2.11.2).
   */
  readonly message: Bytes;
  /** Bytes of the binders list at the end of the message; 0 without a pre-shared key. */
  readonly bindersLength: number;
  /** The private halves of the key shares in the hello, in its order, GREASE left out; dispose wipes them. */
  readonly keyShares: readonly KeyShare[];
  /** Before which of {@link hello}'s extensions a cookie goes after a HelloRetryRequest; without it, before a pre-shared key. */
  readonly cookieIndex?: number;
}

/** A pre-shared key to offer (RFC 8446 §4.2.11). */
export interface OfferedPsk {
  /** The ticket. */
  readonly identity: Uint8Array;
  /** The ticket's age in milliseconds plus `ticket_age_add`, modulo 2^32. */
  readonly obfuscatedTicketAge: number;
  /** Length of the hash of the ticket's suite: 32 or 48. */
  readonly binderLength: number;
}
