import { type Bytes, concat } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { expandSharedSecret } from "../../../src/mixnet/sphinx/key_expansion.ts";

/** How the plain text of a slot begins. */
export interface Slot {
  readonly flag?: number;
  /** Three bytes. */
  readonly version?: number;
  readonly delayNs?: bigint;
}

/** The 300 bytes that a header of one hop hides: `slot`, in front of random bytes. */
export function slotBytes(
  { flag = 1, version = 259, delayNs = 0n }: Slot,
): Bytes {
  const plain = crypto.random(300);
  plain.set([flag, version >> 16, version >> 8, version]);
  new DataView(plain.buffer).setBigUint64(36, delayNs);
  return plain;
}

/** A header for the node with `publicKey` that hides `plain`, 300 bytes, and has a right MAC, whatever it says. */
export function forgedHeader(publicKey: Uint8Array, plain: Uint8Array): Bytes {
  const secret = crypto.random(32);
  return sealedHeader(
    crypto.x25519.publicKey(secret),
    crypto.x25519.sharedSecret(secret, publicKey),
    plain,
  );
}

/** A header that begins with `alpha` and is made under `shared`. */
export function sealedHeader(
  alpha: Uint8Array,
  shared: Uint8Array,
  plain: Uint8Array,
): Bytes {
  const { streamKey, macKey } = expandSharedSecret(crypto, shared);
  const beta = crypto.aesCtr(streamKey, new Uint8Array(16), plain);
  const mac = crypto.hmac("sha256", macKey, beta).slice(0, 16);
  return concat(alpha, mac, beta);
}
