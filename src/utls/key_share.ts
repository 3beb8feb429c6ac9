import { type Bytes, concat } from "../core/bytes/mod.ts";
import {
  CryptoError,
  type CryptoProvider,
  type Ecdh,
} from "../core/crypto/mod.ts";

/** Key exchange groups (IANA TLS Supported Groups). */
export const GROUP = {
  p256: 0x0017,
  p384: 0x0018,
  x25519: 0x001d,
  x25519MlKem768: 0x11ec,
  x25519Kyber768Draft00: 0x6399, // Chrome 124 to 130; its share looks like ML-KEM's, no secret follows from it here
} as const;

/** One of {@link GROUP}. */
export type Group = typeof GROUP[keyof typeof GROUP];

/** Bytes of the hello's share of each group. */
export const KEY_SHARE_LENGTH: Readonly<Record<Group, number>> = {
  [GROUP.p256]: 65,
  [GROUP.p384]: 97,
  [GROUP.x25519]: 32,
  [GROUP.x25519MlKem768]: 1_216,
  [GROUP.x25519Kyber768Draft00]: 1_216,
};

/** Our half of a key exchange. */
export interface KeyShare extends Disposable {
  /** Its group. */
  readonly group: Group;
  /** What the hello carries. */
  readonly publicKey: Bytes;
  /**
   * The shared secret with the server's `keyExchange`, as the key schedule takes it (RFC 8446 §7.4, draft-ietf-tls-ecdhe-mlkem).
   *
   * @throws {CryptoError} `invalid_key` or `weak_key` if the server's share is malformed, or the group is
   * {@link GROUP.x25519Kyber768Draft00}, which we only show.
   */
  sharedSecret(keyExchange: Uint8Array): Bytes;
}

const ML_KEM_CIPHERTEXT_LENGTH = 1_088;

/** A fresh key share for `group`; dispose wipes its private keys. */
export function generateKeyShare(
  crypto: CryptoProvider,
  group: Group,
): KeyShare {
  switch (group) {
    case GROUP.x25519:
      return x25519Share(crypto);
    case GROUP.p256:
      return ecdhShare(crypto.p256, group);
    case GROUP.p384:
      return ecdhShare(crypto.p384, group);
    case GROUP.x25519MlKem768:
      return hybridShare(crypto);
    case GROUP.x25519Kyber768Draft00:
      return kyberDraftShare(crypto);
  }
}

function x25519Share(crypto: CryptoProvider): KeyShare {
  const privateKey = crypto.random(32);
  return {
    group: GROUP.x25519,
    publicKey: crypto.x25519.publicKey(privateKey),
    sharedSecret(keyExchange) {
      if (keyExchange.length !== 32) throw new CryptoError("invalid_key");
      return crypto.x25519.sharedSecret(privateKey, keyExchange);
    },
    [Symbol.dispose]: () => void privateKey.fill(0),
  };
}

function ecdhShare(curve: Ecdh, group: Group): KeyShare {
  const { privateKey, publicKey } = curve.generateKeyPair();
  return {
    group,
    publicKey,
    sharedSecret: (keyExchange) => curve.sharedSecret(privateKey, keyExchange),
    [Symbol.dispose]: () => void privateKey.fill(0),
  };
}

function hybridShare(crypto: CryptoProvider): KeyShare {
  const kem = crypto.mlKem768.generateKeyPair();
  const classic = x25519Share(crypto);
  return {
    group: GROUP.x25519MlKem768,
    publicKey: concat(kem.publicKey, classic.publicKey),
    sharedSecret(keyExchange) {
      const ciphertext = keyExchange.subarray(0, ML_KEM_CIPHERTEXT_LENGTH);
      const peer = keyExchange.subarray(ML_KEM_CIPHERTEXT_LENGTH);
      return concat(
        crypto.mlKem768.decapsulate(kem.privateKey, ciphertext),
        classic.sharedSecret(peer),
      );
    },
    [Symbol.dispose]() {
      kem.privateKey.fill(0);
      classic[Symbol.dispose]();
    },
  };
}

function kyberDraftShare(crypto: CryptoProvider): KeyShare {
  const kem = crypto.mlKem768.generateKeyPair();
  kem.privateKey.fill(0);
  using classic = x25519Share(crypto);
  return {
    group: GROUP.x25519Kyber768Draft00,
    publicKey: concat(classic.publicKey, kem.publicKey),
    sharedSecret() {
      throw new CryptoError("invalid_key");
    },
    [Symbol.dispose]() {},
  };
}
