import { nobleProvider, nodeProvider } from "../../src/core/crypto/mod.ts";
import { testMlKemAgreesWithWebCrypto } from "../compliance/ml_kem_web_crypto.ts";
import { testProvidersAgree } from "../compliance/providers_agree.ts";

testProvidersAgree(nodeProvider, nobleProvider);
for (const provider of [nodeProvider, nobleProvider]) {
  testMlKemAgreesWithWebCrypto(provider);
}
