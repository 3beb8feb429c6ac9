import { type Bytes, utf8 } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";

/**
 * What a hop derives from the secret that it shares with the sender: HKDF-SHA256 without salt, 288 bytes.
 *
 * ```text
 * offset  bytes
 *      0     16  key of the stream cipher that hides beta
 *     16     16  key of the MAC over beta
 *     32     16  seed of the payload key (the 192 bytes from here were the key itself before version 259)
 *    224     32  blinding factor of alpha
 *    256     32  replay tag
 * ```
 */
export interface HopKeys {
  /** AES-128-CTR key, 16 bytes. */
  readonly streamKey: Bytes;
  /** HMAC-SHA256 key, 16 bytes. */
  readonly macKey: Bytes;
  /** What {@link payloadKey} takes, 16 bytes. */
  readonly payloadSeed: Bytes;
  /** X25519 scalar, 32 bytes. */
  readonly blindingFactor: Bytes;
  /** By which a node knows a packet again, 32 bytes. */
  readonly replayTag: Bytes;
}

const HOP_KEYS_INFO = utf8(
  "Dwste mou enan moxlo arketa makru kai ena upomoxlio gia na ton topothetisw kai tha kinisw thn gh.",
);
const HOP_KEYS_LENGTH = 288;
const PAYLOAD_KEY_SALT = utf8("sphinx-payload-key-V01-CS01-HKDF:SHA256-SALT");
const PAYLOAD_KEY_INFO = utf8("sphinx-payload-key-V01-CS01-HKDF:SHA256-INFO");
const PAYLOAD_KEY_LENGTH = 192;
const NO_SALT = new Uint8Array(0);

/** Bytes of {@link HopKeys.payloadSeed}. */
export const PAYLOAD_SEED_LENGTH = 16;

/** The keys of the hop that shares `secret`, 32 bytes, with the sender. */
export function expandSharedSecret(
  crypto: CryptoProvider,
  secret: Uint8Array,
): HopKeys {
  const keys = crypto.hkdf(
    "sha256",
    secret,
    NO_SALT,
    HOP_KEYS_INFO,
    HOP_KEYS_LENGTH,
  );
  return {
    streamKey: keys.subarray(0, 16),
    macKey: keys.subarray(16, 32),
    payloadSeed: keys.subarray(32, 48),
    blindingFactor: keys.subarray(224, 256),
    replayTag: keys.subarray(256, 288),
  };
}

/** The LIONESS key, 192 bytes, that `seed` stands for (version 259 and later). */
export function payloadKey(crypto: CryptoProvider, seed: Uint8Array): Bytes {
  return crypto.hkdf(
    "sha256",
    seed,
    PAYLOAD_KEY_SALT,
    PAYLOAD_KEY_INFO,
    PAYLOAD_KEY_LENGTH,
  );
}
