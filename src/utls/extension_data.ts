import { DecodeError, Reader } from "../core/bytes/mod.ts";
import { type ClientHello, extensionOf } from "./client_hello.ts";
import { EXTENSION } from "./extension.ts";

/** The key shares of `hello`: group and `key_exchange`. */
export function keySharesOf(hello: ClientHello): [number, Uint8Array][] {
  const data = extensionOf(hello, EXTENSION.keyShare);
  if (!data) return [];
  const r = new Reader(data, "key_share");
  const list = r.sub(r.u16());
  r.end();
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
  if (!data) return undefined;
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
