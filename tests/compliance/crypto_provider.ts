/**
 * What every {@link CryptoProvider} must do.
 *
 * @module
 */
import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import { testContract } from "./crypto_provider/contract.ts";
import { testEd25519CornerCases } from "./crypto_provider/ed25519_corner_cases.ts";
import { testMlKem } from "./crypto_provider/ml_kem.ts";
import { testRfcVectors } from "./crypto_provider/rfc.ts";
import { testWycheproof } from "./crypto_provider/wycheproof.ts";

/** Registers the suite for `provider`. */
export function testCryptoProvider(provider: CryptoProvider): void {
  testRfcVectors(provider);
  testWycheproof(provider);
  testMlKem(provider);
  testEd25519CornerCases(provider);
  testContract(provider);
}
