import { DecodeError, Reader } from "../core/bytes/mod.ts";
import { type ClientHello, extensionOf } from "./client_hello.ts";
import { EXTENSION } from "./extension.ts";

/** The key shares of `hello`: group and `key_exchange`. */
export function keySharesOf(hello: ClientHello): [number, Uint8Array][] {
  const data = extensionOf(hello, EXTENSION.keyShare);
  return data ? readKeyShares(data) : [];
}

/** The entries of `key_share` (RFC 8446 §4.2.8): group and `key_exchange`. */
export function readKeyShares(data: Uint8Array): [number, Uint8Array][] {
  const list = listOf(data, "key_share");
  const shares: [number, Uint8Array][] = [];
  while (list.remaining > 0) shares.push([list.u16(), list.take(list.u16())]);
  return shares;
}

/** An outer `encrypted_client_hello` (RFC 9849 §5). */
export interface EchOuter {
  /** HPKE KDF. */
  readonly kdf: number;
  /** HPKE AEAD. */
  readonly aead: number;
  /** `config_id`. */
  readonly configId: number;
  /** The encapsulated key. */
  readonly enc: Uint8Array;
  /** The payload. */
  readonly payload: Uint8Array;
}

/** The ECH extension of `hello`, or `undefined`. */
export function echOf(hello: ClientHello): EchOuter | undefined {
  const data = extensionOf(hello, EXTENSION.encryptedClientHello);
  return data && readEch(data);
}

/** `encrypted_client_hello` of an outer hello. */
export function readEch(data: Uint8Array): EchOuter {
  const r = new Reader(data, "encrypted_client_hello");
  if (r.u8() !== 0) throw new DecodeError(r.what, "not of an outer hello");
  const ech = {
    kdf: r.u16(),
    aead: r.u16(),
    configId: r.u8(),
    enc: r.take(r.u16()),
    payload: r.take(r.u16()),
  };
  r.end();
  return ech;
}

/** The identifiers in `trust_anchors` (draft-ietf-tls-trust-anchor-ids). */
export function readTrustAnchors(data: Uint8Array): Uint8Array[] {
  const list = listOf(data, "trust_anchors");
  const ids: Uint8Array[] = [];
  while (list.remaining > 0) ids.push(list.take(list.u8()));
  return ids;
}

/** The cookie of a HelloRetryRequest (RFC 8446 §4.2.2). */
export function readCookie(data: Uint8Array): Uint8Array {
  const list = listOf(data, "cookie");
  if (list.remaining === 0) throw new DecodeError(list.what, "empty");
  return list.take(list.remaining);
}

/** What fills the rest of `data` behind its length of 2 bytes. */
export function listOf(data: Uint8Array, what: string): Reader {
  const r = new Reader(data, what);
  const list = r.sub(r.u16());
  r.end();
  return list;
}
