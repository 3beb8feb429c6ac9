/**
 * What a session ticket of our server seals: all it needs to resume, so that it keeps nothing itself (RFC 8446 §4.6.1).
 *
 * ```text
 * 2B  cipher suite
 * 8B  time of issue, in milliseconds since 1970
 * 8B  time of the first handshake, whose ticket started the row of sessions
 * 4B  ticket_age_add
 * 32B SHA-256 of the server name in lower case; of nothing where the client named none
 * nB  resumption PSK, as long as the suite's hash: 32 or 48
 * nB  zeros
 * ```
 *
 * @module
 */
import { type Bytes, DecodeError, Reader, Writer } from "../core/bytes/mod.ts";
import { suiteOf } from "./suite.ts";

const HEAD_LENGTH = 54;

/** What the server remembers of a session. */
export interface TicketState {
  /** The suite of the session; another with the same hash may resume it. */
  readonly cipherSuite: number;
  /** When the ticket was sealed, in milliseconds since 1970. */
  readonly issuedAtMs: number;
  /** When the certificate was shown that the sessions go on from, in milliseconds since 1970. */
  readonly firstHandshakeAtMs: number;
  /** What hides the ticket's age, a random u32. */
  readonly ageAdd: number;
  /** SHA-256 of the server name, 32 bytes. */
  readonly serverNameHash: Uint8Array;
  /** The resumption PSK: 32 or 48 bytes. */
  readonly psk: Uint8Array;
}

/**
 * Encodes `state` with zeros up to `length` bytes.
 *
 * @throws {RangeError} If it is longer.
 */
export function encodeTicketState(state: TicketState, length: number): Bytes {
  const head = new Writer(HEAD_LENGTH).u16(state.cipherSuite)
    .u64(BigInt(Math.floor(state.issuedAtMs)))
    .u64(BigInt(Math.floor(state.firstHandshakeAtMs))).u32(state.ageAdd)
    .put(state.serverNameHash).finish();
  const bytes = new Uint8Array(length);
  bytes.set(head);
  bytes.set(state.psk, head.length); // a Writer would keep a copy
  return bytes;
}

/**
 * Decodes a state; its arrays view `bytes`, and what follows is passed over.
 *
 * @throws {DecodeError} If it is too short, or of an unknown suite.
 */
export function decodeTicketState(bytes: Uint8Array): TicketState {
  const r = new Reader(bytes, "session ticket");
  const cipherSuite = r.u16();
  const suite = suiteOf(cipherSuite);
  if (!suite) throw new DecodeError(r.what, `unknown suite ${cipherSuite}`);
  return {
    cipherSuite,
    issuedAtMs: Number(r.u64()),
    firstHandshakeAtMs: Number(r.u64()),
    ageAdd: r.u32(),
    serverNameHash: r.take(32),
    psk: r.take(suite.hashLength),
  };
}
