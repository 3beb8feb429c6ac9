import { type Bytes, concat } from "../core/bytes/mod.ts";
import { CryptoError, type CryptoProvider } from "../core/crypto/mod.ts";
import { generateKeyShare, GROUP } from "../utls/mod.ts";

/** Groups that our server exchanges keys in, best first. */
export const SERVER_GROUPS = [
  GROUP.x25519MlKem768,
  GROUP.x25519,
  GROUP.p256,
  GROUP.p384,
] as const;

/** One of {@link SERVER_GROUPS}. */
export type ServerGroup = typeof SERVER_GROUPS[number];

/** The server's half of a key exchange. */
export interface ServerKeyShare {
  /** What ServerHello carries. */
  readonly keyExchange: Bytes;
  /** The secret for the key schedule. */
  readonly sharedSecret: Bytes;
}

const ML_KEM_PUBLIC_KEY_LENGTH = 1_184;

/**
 * Answers a client's share with ours (RFC 8446 §7.4, draft-ietf-tls-ecdhe-mlkem §3).
 *
 * @throws {CryptoError} `invalid_key` or `weak_key` if the client's share is malformed.
 */
export function answerKeyShare(
  crypto: CryptoProvider,
  group: ServerGroup,
  clientShare: Uint8Array,
): ServerKeyShare {
  if (group === GROUP.x25519MlKem768) return answerHybrid(crypto, clientShare);
  using share = generateKeyShare(crypto, group);
  return {
    keyExchange: share.publicKey,
    sharedSecret: share.sharedSecret(clientShare),
  };
}

function answerHybrid(
  crypto: CryptoProvider,
  clientShare: Uint8Array,
): ServerKeyShare {
  if (clientShare.length !== ML_KEM_PUBLIC_KEY_LENGTH + 32) {
    throw new CryptoError("invalid_key");
  }
  const seed = crypto.random(32);
  const kem = crypto.mlKem768.encapsulate(
    clientShare.subarray(0, ML_KEM_PUBLIC_KEY_LENGTH),
    seed,
  );
  using classic = generateKeyShare(crypto, GROUP.x25519);
  const classicSecret = classic.sharedSecret(
    clientShare.subarray(ML_KEM_PUBLIC_KEY_LENGTH),
  );
  const share = {
    keyExchange: concat(kem.ciphertext, classic.publicKey),
    sharedSecret: concat(kem.sharedSecret, classicSecret),
  };
  for (const secret of [seed, kem.sharedSecret, classicSecret]) secret.fill(0);
  return share;
}
