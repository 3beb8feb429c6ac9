/**
 * pre_shared_key in a ClientHello (RFC 8446 §4.2.11); ours have one identity.
 *
 * ```text
 * 2B  length of the identities
 * 2B  length, then the identity
 * 4B  obfuscated_ticket_age
 * 2B  length of the binders: here what is hashed ends
 * 1B  length, then the binder
 * ```
 *
 * @module
 */
import { type Bytes, Reader, Writer } from "../core/bytes/mod.ts";
import { type ClientHello, encodeClientHello } from "./client_hello.ts";
import { EXTENSION } from "./extension.ts";
import type { Offer, OfferedPsk } from "./offer.ts";

/**
 * The keys that `data` offers.
 *
 * @throws {DecodeError} If it is malformed, or has not as many binders as identities.
 */
export function readPsks(data: Uint8Array): OfferedPsk[] {
  const r = new Reader(data, "pre_shared_key");
  const identities = r.sub(r.u16());
  const binders = r.sub(r.u16());
  r.end();
  const psks: OfferedPsk[] = [];
  while (identities.remaining > 0) {
    psks.push({
      identity: identities.take(identities.u16()),
      obfuscatedTicketAge: identities.u32(),
      binderLength: binders.take(binders.u8()).length,
    });
  }
  binders.end();
  return psks;
}

/** Encodes `hello` with `psk` as its last extension, the binder zero. */
export function encodeOffer(
  hello: ClientHello,
  psk: OfferedPsk | undefined,
): Pick<Offer, "hello" | "message" | "bindersLength"> {
  if (!psk) {
    return { hello, message: encodeClientHello(hello), bindersLength: 0 };
  }
  const extension = { type: EXTENSION.preSharedKey, data: pskData(psk) };
  const whole = {
    ...hello,
    extensions: [...hello.extensions ?? [], extension],
  };
  return {
    hello: whole,
    message: encodeClientHello(whole),
    bindersLength: 3 + psk.binderLength,
  };
}

/** Bytes that `psk` adds to a hello. */
export function pskExtensionLength(
  { identity, binderLength }: OfferedPsk,
): number {
  return 4 + 2 + 2 + identity.length + 4 + 3 + binderLength;
}

function pskData(
  { identity, obfuscatedTicketAge, binderLength }: OfferedPsk,
): Bytes {
  return new Writer(identity.length + 64)
    .u16(identity.length + 6)
    .u16(identity.length).put(identity)
    .u32(obfuscatedTicketAge)
    .u16(1 + binderLength)
    .u8(binderLength).put(new Uint8Array(binderLength))
    .finish();
}
