import { type Bytes, concat } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";

const SHA256_MULTIHASH = Uint8Array.of(0x12, 0x20);

/** PeerID (BN11-6.1-1) of an Ed25519 public key, 34 bytes. */
export function peerIdOf(
  crypto: CryptoProvider,
  publicKey: Uint8Array,
): Bytes {
  return concat(SHA256_MULTIHASH, crypto.hash("sha256", publicKey));
}
