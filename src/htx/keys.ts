/**
 * Inner traffic keys (Betanet 1.1 §5.3, profile G2–G4, G14).
 *
 * ```text
 * K0    = HKDF(Noise chaining key ‖ EKM, salt = Noise handshake hash, info = "htx inner v1", 64)
 * K0c   = K0[0..32], K0s = K0[32..64]
 * NS    = HKDF(K, salt = "ns", info = "", 12)
 * nonce = NS XOR (LE64(counter) ‖ LE32(0))
 * next  = HKDF(S, salt = "next", info = Noise handshake hash, 64): K' = next[0..32], S' = next[32..64]; S starts as K0c or K0s
 * Kd    = HKDF(K0c or K0s, salt = "datagram", info = Noise handshake hash, 64): the first K and S of datagrams (profile section 5.1)
 * ```
 *
 * EKM is the outer TLS exporter's output where the carrier has one, else empty.
 *
 * @module
 */
import { type Bytes, concat, utf8 } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";

const EMPTY = new Uint8Array(0);

/** Length of a nonce in bytes. */
export const NONCE_LENGTH = 12;

/** What one direction is protected with until its next KEY_UPDATE. */
export interface TrafficKeys {
  /** K: 32-byte ChaCha20-Poly1305 key. */
  readonly key: Bytes;
  /** NS: 12-byte nonce salt. */
  readonly nonceSalt: Bytes;
  /** S: what the next key comes from. */
  readonly secret: Bytes;
  /** The Noise handshake hash, 32 bytes. */
  readonly transcriptHash: Bytes;
}

/** The first keys of both directions. */
export interface SessionKeys {
  /** From client to server (K0c). */
  readonly client: TrafficKeys;
  /** From server to client (K0s). */
  readonly server: TrafficKeys;
}

/** What {@link deriveSessionKeys} takes from the handshakes. */
export interface KeyInput {
  /** The Noise chaining key after the last message. */
  readonly chainingKey: Uint8Array;
  /** The Noise handshake hash after the last message. */
  readonly handshakeHash: Uint8Array;
  /** EKM: 64 bytes of the outer TLS exporter (label `htx inner v1`, no context); empty where the carrier has none. */
  readonly exporter?: Uint8Array;
}

/** Derives K0 and splits it (§5.3 with the hardening of gap G4). */
export function deriveSessionKeys(
  crypto: CryptoProvider,
  { chainingKey, handshakeHash, exporter = EMPTY }: KeyInput,
): SessionKeys {
  const ikm = concat(chainingKey, exporter);
  const label = utf8("htx inner v1");
  const k0 = crypto.hkdf("sha256", ikm, handshakeHash, label, 64);
  const transcriptHash = new Uint8Array(handshakeHash);
  return {
    client: trafficKeys(crypto, k0.slice(0, 32), undefined, transcriptHash),
    server: trafficKeys(crypto, k0.slice(32), undefined, transcriptHash),
  };
}

/** The keys after a KEY_UPDATE (§5.3); the old ones do not follow from them. */
export function nextTrafficKeys(
  crypto: CryptoProvider,
  keys: TrafficKeys,
): TrafficKeys {
  return derivedKeys(crypto, keys, "next");
}

/** The first keys of the datagrams of a direction whose first keys are `first`; neither follows from the other's later ones. */
export function datagramKeys(
  crypto: CryptoProvider,
  keys: TrafficKeys,
): TrafficKeys {
  const transcriptHash = keys.transcriptHash.slice();
  return derivedKeys(crypto, { ...keys, transcriptHash }, "datagram");
}

/** Wipes keys. */
export function wipeKeys({ key, secret, nonceSalt }: TrafficKeys): void {
  key.fill(0);
  secret.fill(0);
  nonceSalt.fill(0);
}

/** Writes the nonce of frame `counter` into `out`. */
export function writeNonce(
  nonceSalt: Uint8Array,
  counter: number,
  out: Uint8Array,
): void {
  out.set(nonceSalt);
  for (let i = 0; i < 8 && counter > 0; i++) {
    out[i] = out[i]! ^ (counter % 0x100);
    counter = Math.floor(counter / 0x100);
  }
}

function derivedKeys(
  crypto: CryptoProvider,
  { secret, transcriptHash }: TrafficKeys,
  label: string,
): TrafficKeys {
  const keys = crypto.hkdf("sha256", secret, utf8(label), transcriptHash, 64);
  return trafficKeys(crypto, keys.slice(0, 32), keys.slice(32), transcriptHash);
}

function trafficKeys(
  crypto: CryptoProvider,
  key: Bytes,
  secret: Bytes = key.slice(),
  transcriptHash: Bytes,
): TrafficKeys {
  const salt = utf8("ns");
  const nonceSalt = crypto.hkdf("sha256", key, salt, EMPTY, NONCE_LENGTH);
  return { key, nonceSalt, secret, transcriptHash };
}
