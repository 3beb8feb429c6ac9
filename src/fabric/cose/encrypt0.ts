import {
  type Bytes,
  CborTag,
  decodeCbor,
  DecodeError,
  encodeCbor,
} from "../../core/bytes/mod.ts";
import {
  CryptoError,
  type CryptoProvider,
  type X25519KeyPair,
} from "../../core/crypto/mod.ts";
import { hpkeOpen, hpkeSeal } from "../../core/hpke/mod.ts";
import { FabricError } from "../error.ts";

const TAG = 16;
const HEADER = { alg: 1, ek: -4 } as const;
const HPKE_4 = 42; // X25519, HKDF-SHA256, ChaCha20-Poly1305
const WHAT = "COSE_Encrypt0";
const EMPTY = new Uint8Array();
const PROTECTED = encodeCbor(new Map([[HEADER.alg, HPKE_4]]));
const AAD = encodeCbor(["Encrypt0", PROTECTED, EMPTY]);

/** Bytes that sealing adds to a plaintext, at most. */
export const ENCRYPT0_OVERHEAD = 80;

/**
 * Seals `plaintext` to `sealKey`, 32 bytes, as COSE_Encrypt0 (RFC 9052 §5.2) with HPKE in its integrated mode
 * (draft-ietf-cose-hpke-21, HPKE-4), so that a node of a DTN sees that it is encrypted.
 *
 * ```text
 * 16([ << {1: 42} >>, {-4: 32B encapsulated key}, ciphertext ])
 * ```
 *
 * @throws {CryptoError} `weak_key` if the key has low order.
 */
export function encrypt0(
  crypto: CryptoProvider,
  sealKey: Uint8Array,
  plaintext: Uint8Array,
): Bytes {
  const sealed = hpkeSeal(crypto, sealKey, plaintext, { aad: AAD });
  const unprotected = new Map([[HEADER.ek, sealed.enc]]);
  const parts = [PROTECTED, unprotected, sealed.ciphertext];
  return encodeCbor(new CborTag(TAG, parts));
}

/**
 * The plaintext of what {@link encrypt0} sealed to `keyPair`.
 *
 * @throws {DecodeError} If it is malformed.
 * @throws {FabricError} `unauthenticated` if it was not sealed to this key, or was changed.
 */
export function openEncrypt0(
  crypto: CryptoProvider,
  keyPair: X25519KeyPair,
  bytes: Uint8Array,
): Bytes {
  const item = decodeCbor(bytes, { maxDepth: 3, maxItems: 8 }, WHAT);
  const [header, unprotected, ciphertext, ...more] =
    item instanceof CborTag && item.tag === TAG && Array.isArray(item.value)
      ? item.value
      : [];
  const enc = unprotected instanceof Map && unprotected.size === 1
    ? unprotected.get(HEADER.ek)
    : undefined;
  if (
    !(header instanceof Uint8Array) || !(ciphertext instanceof Uint8Array) ||
    more.length > 0
  ) {
    throw new DecodeError(WHAT, "want headers and ciphertext");
  }
  if (
    header.toHex() !== PROTECTED.toHex() || !(enc instanceof Uint8Array) ||
    enc.length !== 32
  ) {
    throw new DecodeError(WHAT, "want HPKE-4 and its encapsulated key");
  }
  try {
    return hpkeOpen(crypto, keyPair, { enc, ciphertext }, { aad: AAD });
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    const text = "It was not sealed to this key, or was changed";
    throw new FabricError("unauthenticated", text, { cause });
  }
}
