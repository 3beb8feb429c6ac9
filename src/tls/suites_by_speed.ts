import { type Clock, systemClock } from "../core/async/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { MAX_RECORD_CONTENT } from "./record.ts";
import { CIPHER_SUITE, type CipherSuite, suiteOf } from "./suite.ts";

const { aes128GcmSha256, aes256GcmSha384, chacha20Poly1305Sha256 } =
  CIPHER_SUITE;
const ROUNDS = 5;
const SEALS = 8;

/**
 * The cipher suites in the order that is fastest with `crypto`: AES first or ChaCha20-Poly1305 first, by the best of five
 * rounds of a few full records each, some milliseconds in all.
 */
export function suitesBySpeed(
  crypto: CryptoProvider,
  clock: Pick<Clock, "now"> = systemClock,
): readonly CipherSuite[] {
  const aes = bestRoundMs(aes128GcmSha256, crypto, clock);
  const chacha = bestRoundMs(chacha20Poly1305Sha256, crypto, clock);
  return chacha < aes
    ? [chacha20Poly1305Sha256, aes128GcmSha256, aes256GcmSha384]
    : [aes128GcmSha256, aes256GcmSha384, chacha20Poly1305Sha256];
}

function bestRoundMs(
  id: CipherSuite,
  crypto: CryptoProvider,
  clock: Pick<Clock, "now">,
): number {
  const suite = suiteOf(id)!;
  using aead = suite.aead(crypto, new Uint8Array(suite.keyLength));
  const nonce = new Uint8Array(12);
  const plaintext = new Uint8Array(MAX_RECORD_CONTENT);
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = clock.now();
    for (let i = 0; i < SEALS; i++) aead.seal(nonce, plaintext);
    best = Math.min(best, clock.now() - start);
  }
  return best;
}
