/**
 * Access ticket (Betanet 1.1 §5.2, profile G1 and G2).
 *
 * ```text
 *  1B       version, 0x01
 * 32B       cliPub, the client's X25519 public key, fresh for every ticket
 *  8B       ticketKeyID
 * 32B       nonce32, random
 * 32B       accessTicket = HKDF-SHA256(X25519(cliPriv, ticketPub), salt, "", 32)
 * 24..64B   padding of any content, ignored
 *
 * salt = SHA-256("betanet-ticket-v1" ‖ ticketKeyID ‖ u64 hour), hour = floor(unixTime / 3600)
 * ```
 *
 * @module
 */
import {
  type Bytes,
  DecodeError,
  Reader,
  utf8,
  Writer,
} from "../core/bytes/mod.ts";
import { type CryptoProvider, generateX25519 } from "../core/crypto/mod.ts";

/** Length of a ticket key id in bytes. */
export const TICKET_KEY_ID_LENGTH = 8;
/** Fewest bytes of padding that are accepted. */
const MIN_PADDING_LENGTH = 24;
/** Most bytes of padding that are accepted. */
const MAX_PADDING_LENGTH = 64;
/** Length of a ticket without its padding. */
export const TICKET_FIXED_LENGTH = 105;

const VERSION = 0x01;
const LABEL = utf8("betanet-ticket-v1");
const EMPTY = new Uint8Array(0);

/** What a ticket says; its padding is not kept. */
export interface Ticket {
  /** cliPub: 32 bytes. */
  readonly clientPublicKey: Uint8Array;
  /** ticketKeyID: 8 bytes. */
  readonly keyId: Uint8Array;
  /** nonce32: 32 bytes. */
  readonly nonce: Uint8Array;
  /** accessTicket: 32 bytes. */
  readonly accessTicket: Uint8Array;
}

/** What an access ticket is derived from. */
export interface AccessTicketInput {
  /** X25519 of the client's and the ticket key: 32 bytes. */
  readonly sharedSecret: Uint8Array;
  /** ticketKeyID: 8 bytes. */
  readonly keyId: Uint8Array;
  /** Hours since 1970-01-01 UTC, see {@link ticketHour}. */
  readonly hour: number;
}

/** What {@link makeTicket} needs. */
export interface NewTicket {
  /** The server's ticket key: 32 bytes of X25519. */
  readonly ticketPublicKey: Uint8Array;
  /** Its id: 8 bytes. */
  readonly keyId: Uint8Array;
  /** Now, in milliseconds since 1970-01-01 UTC. */
  readonly wallTimeMs: number;
  /** Fewest bytes of padding; {@link MIN_PADDING_LENGTH} by default. */
  readonly minPaddingLength?: number;
  /** Most bytes of padding; {@link MAX_PADDING_LENGTH} by default. */
  readonly maxPaddingLength?: number;
}

/** Encodes `ticket` with `padding` behind it. */
export function encodeTicket(ticket: Ticket, padding: Uint8Array): Bytes {
  return new Writer(TICKET_FIXED_LENGTH + padding.length)
    .u8(VERSION)
    .put(ticket.clientPublicKey)
    .put(ticket.keyId)
    .put(ticket.nonce)
    .put(ticket.accessTicket)
    .put(padding)
    .finish();
}

/**
 * Decodes one ticket; the result borrows `payload`.
 *
 * @throws {DecodeError} If the version is not 1, the ticket is cut short, or the padding is not 24 to 64 bytes.
 */
export function decodeTicket(payload: Uint8Array): Ticket {
  const r = new Reader(payload, "HTX ticket");
  if (r.u8() !== VERSION) throw new DecodeError(r.what, "unknown version");
  const ticket = {
    clientPublicKey: r.take(32),
    keyId: r.take(TICKET_KEY_ID_LENGTH),
    nonce: r.take(32),
    accessTicket: r.take(32),
  };
  const padding = r.rest().length;
  if (padding < MIN_PADDING_LENGTH || padding > MAX_PADDING_LENGTH) {
    throw new DecodeError(r.what, "want 24 to 64 bytes of padding");
  }
  return ticket;
}

/** The hour that `wallTimeMs` (milliseconds since 1970-01-01 UTC) lies in. */
export function ticketHour(wallTimeMs: number): number {
  return Math.floor(wallTimeMs / 3_600_000);
}

/** Derives the 32-byte accessTicket. */
export function deriveAccessTicket(
  crypto: CryptoProvider,
  { sharedSecret, keyId, hour }: AccessTicketInput,
): Bytes {
  const when = new Writer(8).u64(BigInt(hour)).finish();
  const salt = crypto.hash("sha256", LABEL, keyId, when);
  return crypto.hkdf("sha256", sharedSecret, salt, EMPTY, 32);
}

/**
 * Makes the payload of a new ticket: fresh client key, nonce and padding, so that no two are alike (BN11-5.2-10).
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { generateX25519, nodeProvider } from "../core/crypto/mod.ts";
 * import { decodeTicket, makeTicket } from "./ticket.ts";
 *
 * const keyId = new Uint8Array(8);
 * const ticketPublicKey = generateX25519(nodeProvider).publicKey;
 * const payload = makeTicket(nodeProvider, { ticketPublicKey, keyId, wallTimeMs: 0 });
 * assertEquals(decodeTicket(payload).keyId, keyId);
 * ```
 *
 * @throws {CryptoError} `weak_key` if `ticketPublicKey` is of low order.
 * @throws {RangeError} If a length is out of range.
 */
export function makeTicket(
  crypto: CryptoProvider,
  {
    ticketPublicKey,
    keyId,
    wallTimeMs,
    minPaddingLength = MIN_PADDING_LENGTH,
    maxPaddingLength = MAX_PADDING_LENGTH,
  }: NewTicket,
): Bytes {
  if (keyId.length !== TICKET_KEY_ID_LENGTH) {
    throw new RangeError(`A ticket key id has 8 bytes: got ${keyId.length}`);
  }
  checkPadding(minPaddingLength, maxPaddingLength);
  const { privateKey, publicKey } = generateX25519(crypto);
  const sharedSecret = crypto.x25519.sharedSecret(
    privateKey.expose(),
    ticketPublicKey,
  );
  const hour = ticketHour(wallTimeMs);
  const spread = maxPaddingLength - minPaddingLength + 1;
  return encodeTicket({
    clientPublicKey: publicKey,
    keyId,
    nonce: crypto.random(32),
    accessTicket: deriveAccessTicket(crypto, { sharedSecret, keyId, hour }),
  }, crypto.random(minPaddingLength + randomBelow(crypto, spread)));
}

/** SHA-256 of a ticket's payload, padding included; the prologue of the inner handshake binds it (profile G9). */
export function ticketHash(
  crypto: CryptoProvider,
  payload: Uint8Array,
): Bytes {
  return crypto.hash("sha256", payload);
}

/**
 * Checks a range of padding lengths.
 *
 * @throws {RangeError} Unless 24 ≤ `min` ≤ `max` ≤ 64.
 */
export function checkPadding(min: number, max: number): void {
  const whole = Number.isInteger(min) && Number.isInteger(max);
  if (
    !whole || min < MIN_PADDING_LENGTH || max > MAX_PADDING_LENGTH || min > max
  ) {
    throw new RangeError(
      `Padding must lie within 24..64 bytes: got ${min}..${max}`,
    );
  }
}

/** A uniform integer in 0 … `count` − 1, for `count` up to 256. */
function randomBelow(crypto: CryptoProvider, count: number): number {
  const limit = 256 - 256 % count;
  for (;;) {
    const byte = crypto.random(1)[0]!;
    if (byte < limit) return byte % count;
  }
}
