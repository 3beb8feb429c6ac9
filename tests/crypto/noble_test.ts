import { nobleProvider } from "../../src/core/crypto/mod.ts";
import { testCryptoProvider } from "../compliance/crypto_provider.ts";

testCryptoProvider(nobleProvider);
