/**
 * KeyShareEntry (RFC 8446 §4.2.8): all of a ServerHello's key_share; a ClientHello has a list of them.
 *
 * ```text
 * 2B  group
 * 2B  length, then key exchange, not empty
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

/** A public half of a key exchange. */
export interface KeyShareEntry {
  /** Its group. */
  readonly group: number;
  /** What the group makes of it: a public key, or a KEM's ciphertext. */
  readonly keyExchange: Uint8Array;
}

const WHAT = "key_share";

/**
 * Decodes a ServerHello's extension data; the result views it.
 *
 * @throws {DecodeError} If a length does not fit.
 */
export function decodeKeyShareEntry(data: Uint8Array): KeyShareEntry {
  const r = new Reader(data, WHAT);
  const entry = readEntry(r);
  r.end();
  return entry;
}

/** Encodes a ServerHello's extension data. */
export function encodeKeyShareEntry(entry: KeyShareEntry): Bytes {
  const { group, keyExchange } = entry;
  return new Writer(4 + keyExchange.length)
    .u16(group)
    .u16(keyExchange.length).put(keyExchange)
    .finish();
}

/**
 * Decodes a ClientHello's extension data, GREASE included; the result views it.
 *
 * @throws {DecodeError} If a length does not fit.
 */
export function decodeKeyShareEntries(data: Uint8Array): KeyShareEntry[] {
  const r = new Reader(data, WHAT);
  const list = r.sub(r.u16());
  r.end();
  const entries: KeyShareEntry[] = [];
  while (list.remaining > 0) entries.push(readEntry(list));
  return entries;
}

function readEntry(r: Reader): KeyShareEntry {
  const group = r.u16();
  const keyExchange = r.take(r.u16());
  if (keyExchange.length === 0) throw new DecodeError(WHAT, "empty share");
  return { group, keyExchange };
}
