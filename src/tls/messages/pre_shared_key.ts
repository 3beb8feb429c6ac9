/**
 * pre_shared_key of a ClientHello (RFC 8446 §4.2.11), always its last extension.
 *
 * ```text
 * 2B  length, then identities: 2B length, identity, not empty; 4B obfuscated_ticket_age
 * 2B  length, then binders: 1B length, binder of 32 to 255 bytes
 * ```
 *
 * @module
 */
import {
  type Bytes,
  DecodeError,
  Reader,
  Writer,
} from "../../core/bytes/mod.ts";

/** A pre-shared key that a client offers. */
export interface PskIdentity {
  /** Such as a ticket. */
  readonly identity: Uint8Array;
  /** Age in milliseconds, `ticket_age_add` added modulo 2^32. */
  readonly obfuscatedTicketAge: number;
}

/** What the extension holds. */
export interface OfferedPsks {
  /** In the client's order. */
  readonly identities: readonly PskIdentity[];
  /** One for each identity. */
  readonly binders: readonly Uint8Array[];
  /** Length in bytes of the binders list, its length field included. */
  readonly bindersLength: number;
}

const WHAT = "pre_shared_key";

/**
 * Decodes extension data; the arrays of the result view it.
 *
 * @throws {DecodeError} If a length does not fit, or an identity or the list is empty.
 */
export function decodeOfferedPsks(data: Uint8Array): OfferedPsks {
  const r = new Reader(data, WHAT);
  const list = r.sub(r.u16());
  const identities: PskIdentity[] = [];
  while (list.remaining > 0) {
    const identity = list.take(list.u16());
    if (identity.length === 0) throw new DecodeError(WHAT, "empty identity");
    identities.push({ identity, obfuscatedTicketAge: list.u32() });
  }
  if (identities.length === 0) throw new DecodeError(WHAT, "no identity");
  const bindersLength = r.remaining;
  const binderList = r.sub(r.u16());
  r.end();
  const binders: Uint8Array[] = [];
  while (binderList.remaining > 0) {
    const binder = binderList.take(binderList.u8());
    if (binder.length < 32) throw new DecodeError(WHAT, "short binder");
    binders.push(binder);
  }
  return { identities, binders, bindersLength };
}

/** Encodes extension data. */
export function encodeOfferedPsks(
  psks: Pick<OfferedPsks, "identities" | "binders">,
): Bytes {
  const identities = new Writer(256);
  for (const { identity, obfuscatedTicketAge } of psks.identities) {
    identities.u16(identity.length).put(identity).u32(obfuscatedTicketAge);
  }
  const binders = new Writer();
  for (const binder of psks.binders) binders.u8(binder.length).put(binder);
  return new Writer(4 + identities.length + binders.length)
    .u16(identities.length).put(identities.finish())
    .u16(binders.length).put(binders.finish())
    .finish();
}
