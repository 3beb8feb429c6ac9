/**
 * NewSessionTicket (RFC 8446 §4.6.1).
 *
 * ```text
 * 4B  ticket_lifetime in seconds, at most 604,800
 * 4B  ticket_age_add
 * 1B  length, then ticket_nonce
 * 2B  length, then ticket, not empty
 * 2B  length, then extensions
 * ```
 *
 * @module
 */
import { type Bytes, DecodeError, Writer } from "../../core/bytes/mod.ts";
import type { Extension } from "../../utls/mod.ts";
import { readExtensions, writeExtensions } from "./extensions.ts";
import {
  encodeHandshake,
  HANDSHAKE_TYPE,
  handshakeBody,
} from "./handshake_type.ts";

/** Longest life of a ticket: seven days. */
export const MAX_TICKET_LIFETIME_S = 604_800;

/** A ticket with which a later connection can resume this one. */
export interface NewSessionTicket {
  /** How long it is good for, in seconds. */
  readonly lifetimeS: number;
  /** Added, modulo 2^32, to the ticket's age when it is offered. */
  readonly ageAdd: number;
  /** Tells the tickets of one connection apart. */
  readonly nonce: Uint8Array;
  /** What the client offers. */
  readonly ticket: Uint8Array;
  /** In the order sent. */
  readonly extensions: readonly Extension[];
}

/**
 * Decodes a whole message; the arrays of the result view it.
 *
 * @throws {DecodeError} If a length does not fit, or the ticket is empty.
 * @throws {TlsError} `illegal_parameter` if an extension comes twice.
 */
export function decodeNewSessionTicket(message: Uint8Array): NewSessionTicket {
  const r = handshakeBody(
    message,
    HANDSHAKE_TYPE.newSessionTicket,
    "NewSessionTicket",
  );
  const lifetimeS = r.u32();
  const ageAdd = r.u32();
  const nonce = r.take(r.u8());
  const ticket = r.take(r.u16());
  if (ticket.length === 0) throw new DecodeError(r.what, "empty ticket");
  const extensions = readExtensions(r);
  r.end();
  return { lifetimeS, ageAdd, nonce, ticket, extensions };
}

/** Encodes `ticket` as a handshake message. */
export function encodeNewSessionTicket(ticket: NewSessionTicket): Bytes {
  const w = new Writer(256)
    .u32(ticket.lifetimeS)
    .u32(ticket.ageAdd)
    .u8(ticket.nonce.length).put(ticket.nonce)
    .u16(ticket.ticket.length).put(ticket.ticket);
  writeExtensions(w, ticket.extensions);
  return encodeHandshake(HANDSHAKE_TYPE.newSessionTicket, w.finish());
}
