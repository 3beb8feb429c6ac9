import {
  type Aead,
  type CryptoProvider,
  HASH_LENGTH,
} from "../core/crypto/mod.ts";

/** The cipher suites of TLS 1.3 that are spoken here (RFC 8446 §B.4). */
export const CIPHER_SUITE = {
  aes128GcmSha256: 0x1301,
  aes256GcmSha384: 0x1302,
  chacha20Poly1305Sha256: 0x1303,
} as const;

/** One of {@link CIPHER_SUITE}. */
export type CipherSuite = typeof CIPHER_SUITE[keyof typeof CIPHER_SUITE];

/** A cipher suite's parts. */
export interface Suite {
  /** Its number. */
  readonly id: CipherSuite;
  /** The hash of its key schedule. */
  readonly hash: "sha256" | "sha384";
  /** Output length of the hash in bytes. */
  readonly hashLength: 32 | 48;
  /** Key length of its AEAD in bytes. */
  readonly keyLength: 16 | 32;
  /** Most records under one key: 2^24.5 for AES-GCM (RFC 8446 §5.5), else what a sequence number can count. */
  readonly maxRecords: number;
  /** Its AEAD under `key`. */
  aead(crypto: CryptoProvider, key: Uint8Array): Aead;
}

const MAX_AES_GCM_RECORDS = Math.floor(2 ** 24.5);

const SUITE: Readonly<Record<CipherSuite, Suite>> = {
  [CIPHER_SUITE.aes128GcmSha256]: {
    id: CIPHER_SUITE.aes128GcmSha256,
    hash: "sha256",
    hashLength: HASH_LENGTH.sha256,
    keyLength: 16,
    maxRecords: MAX_AES_GCM_RECORDS,
    aead: (crypto, key) => crypto.aesGcm(key),
  },
  [CIPHER_SUITE.aes256GcmSha384]: {
    id: CIPHER_SUITE.aes256GcmSha384,
    hash: "sha384",
    hashLength: HASH_LENGTH.sha384,
    keyLength: 32,
    maxRecords: MAX_AES_GCM_RECORDS,
    aead: (crypto, key) => crypto.aesGcm(key),
  },
  [CIPHER_SUITE.chacha20Poly1305Sha256]: {
    id: CIPHER_SUITE.chacha20Poly1305Sha256,
    hash: "sha256",
    hashLength: HASH_LENGTH.sha256,
    keyLength: 32,
    maxRecords: Number.MAX_SAFE_INTEGER,
    aead: (crypto, key) => crypto.chacha20poly1305(key),
  },
};

/** The parts of suite `id`, or `undefined` if it is not spoken here. */
export function suiteOf(id: number): Suite | undefined {
  return (SUITE as Readonly<Record<number, Suite>>)[id];
}
