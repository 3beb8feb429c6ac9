import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  importSigningKey,
  verifySignature,
} from "../../src/core/crypto/mod.ts";
import { FfiError, importLibcryptoKey } from "../../src/ffi/mod.ts";
import { testCertificate, type TestKey } from "../tls/_certificates.ts";

const KEYS: readonly TestKey[] = [
  "p256",
  "p384",
  "p521",
  "rsa",
  "rsaPss",
  "ed25519",
];
const MESSAGE = new Uint8Array(130).map((_, i) => i);

if (isThere()) {
  for (const kind of KEYS) {
    Deno.test(`importLibcryptoKey() signs with a key of ${kind} as node:crypto verifies it`, () => {
      const { pkcs8 } = testCertificate(kind);
      using key = importLibcryptoKey(pkcs8);
      using other = importSigningKey(pkcs8);
      assertEquals(key.schemes, other.schemes);
      assertEquals(key.publicKeySpki, other.publicKeySpki);
      for (const scheme of key.schemes) {
        const signature = key.sign(scheme, MESSAGE);
        const { publicKeySpki } = other;
        assert(verifySignature(scheme, publicKeySpki, MESSAGE, signature));
        signature[signature.length - 1]! ^= 1;
        assert(!verifySignature(scheme, publicKeySpki, MESSAGE, signature));
      }
    });
  }

  Deno.test("LibcryptoKey refuses a scheme of another key, and all after dispose", () => {
    const key = importLibcryptoKey(testCertificate("p256").pkcs8);
    assertThrows(() => key.sign(0x0503, MESSAGE), RangeError);
    key[Symbol.dispose]();
    assertThrows(() => key.sign(0x0403, MESSAGE), TypeError);
  });

  Deno.test("importLibcryptoKey() refuses bytes that are no key", () => {
    assertThrows(() => importLibcryptoKey(MESSAGE), TypeError);
    const { pkcs8 } = testCertificate("p256");
    assertThrows(() => importLibcryptoKey(pkcs8, "no_such_file"), FfiError);
  });
}

function isThere(): boolean {
  try {
    importLibcryptoKey(testCertificate("p256").pkcs8)[Symbol.dispose]();
    return true;
  } catch (error) {
    if (!(error instanceof FfiError)) throw error;
    // deno-lint-ignore no-console -- a skipped test says why
    console.warn(`signing_key_test: skipped, ${error.message}`);
    return false;
  }
}
