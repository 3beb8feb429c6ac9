import { type Bytes, utf8 } from "../../core/bytes/mod.ts";
import type { CryptoProvider, X25519KeyPair } from "../../core/crypto/mod.ts";
import { HandshakeState, NoiseError } from "../../core/noise/mod.ts";

/** What sealing adds, in bytes: an ephemeral key and a tag. */
export const SEAL_OVERHEAD = 48;

const PROLOGUE = utf8("betanet-mix-seal-v1");
const PROTOCOL = { pattern: "N", hash: "SHA256", hybrid: false } as const;

/**
 * Seals `plaintext` to `sealKey`, 32 bytes: `Noise_N_25519_ChaChaPoly_SHA256` with prologue `betanet-mix-seal-v1`.
 *
 * @throws {NoiseError} `rejected` if the key has low order.
 */
export function seal(
  crypto: CryptoProvider,
  sealKey: Uint8Array,
  plaintext: Uint8Array,
): Bytes {
  using handshake = new HandshakeState({
    ...PROTOCOL,
    crypto,
    role: "initiator",
    prologue: PROLOGUE,
    remoteStaticKey: sealKey,
  });
  return handshake.writeMessage(plaintext);
}

/** The plaintext that was sealed to `sealKeyPair`; `undefined` if none was, or it was changed on its way. */
export function unseal(
  crypto: CryptoProvider,
  sealKeyPair: X25519KeyPair,
  sealed: Uint8Array,
): Bytes | undefined {
  using handshake = new HandshakeState({
    ...PROTOCOL,
    crypto,
    role: "responder",
    prologue: PROLOGUE,
    staticKeyPair: sealKeyPair,
  });
  try {
    return handshake.readMessage(sealed);
  } catch (error) {
    if (error instanceof NoiseError) return undefined;
    throw error;
  }
}
