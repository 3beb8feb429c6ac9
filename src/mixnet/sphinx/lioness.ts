import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";

/** Bytes of the left part; a block has at least one byte more. */
const LEFT_LENGTH = 32;
const NONCE = new Uint8Array(12);

/**
 * Encrypts `block` in place with LIONESS (Anderson and Biham 1996) over ChaCha20 and keyed BLAKE2b-256, so that a change
 * of any bit changes every bit.
 *
 * ChaCha20 is the original with a 64-bit counter and a zero nonce, which for blocks below 256 GiB is that of RFC 8439.
 *
 * @param key k1 32 ‖ k2 64 ‖ k3 32 ‖ k4 64 bytes.
 * @param block At least 33 bytes.
 */
export function lionessEncrypt(
  crypto: CryptoProvider,
  key: Uint8Array,
  block: Bytes,
): void {
  stream(crypto, key.subarray(0, 32), block);
  digest(crypto, key.subarray(32, 96), block);
  stream(crypto, key.subarray(96, 128), block);
  digest(crypto, key.subarray(128, 192), block);
}

/** Undoes {@link lionessEncrypt}. */
export function lionessDecrypt(
  crypto: CryptoProvider,
  key: Uint8Array,
  block: Bytes,
): void {
  digest(crypto, key.subarray(128, 192), block);
  stream(crypto, key.subarray(96, 128), block);
  digest(crypto, key.subarray(32, 96), block);
  stream(crypto, key.subarray(0, 32), block);
}

/** R ^= ChaCha20(L ^ k). */
function stream(crypto: CryptoProvider, key: Uint8Array, block: Bytes): void {
  const streamKey = new Uint8Array(LEFT_LENGTH);
  for (let i = 0; i < LEFT_LENGTH; i++) streamKey[i] = block[i]! ^ key[i]!;
  const right = block.subarray(LEFT_LENGTH);
  right.set(crypto.chacha20(streamKey, NONCE, 0, right));
}

/** L ^= BLAKE2b-256(k, R). */
function digest(crypto: CryptoProvider, key: Uint8Array, block: Bytes): void {
  const mac = crypto.blake2bMac(key, 32, block.subarray(LEFT_LENGTH));
  for (let i = 0; i < LEFT_LENGTH; i++) block[i]! ^= mac[i]!;
}
