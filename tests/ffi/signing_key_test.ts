import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  importSigningKey,
  verifySignature,
} from "../../src/core/crypto/mod.ts";
import { setImmediate } from "node:timers";
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

  Deno.test("LibcryptoKey is freed once, disposed or forgotten", async () => {
    using frees = countFrees("EVP_PKEY_free");
    const { pkcs8 } = testCertificate("p256");
    const disposed = importLibcryptoKey(pkcs8);
    disposed[Symbol.dispose]();
    disposed[Symbol.dispose]();
    assertEquals(frees.count, 1);
    (() => {
      importLibcryptoKey(pkcs8)[Symbol.dispose]();
      importLibcryptoKey(pkcs8);
    })();
    for (let i = 0; i < 500 && frees.count < 3; i++) {
      new Array(100_000).fill(i); // until it is collected
      await new Promise((next) => setImmediate(next));
    }
    assertEquals(frees.count, 3);
    assertThrows(() => disposed.sign(0x0403, MESSAGE), TypeError);
  });

  Deno.test("importLibcryptoKey() refuses bytes that are no key", () => {
    assertThrows(() => importLibcryptoKey(MESSAGE), TypeError);
    const { pkcs8 } = testCertificate("p256");
    assertThrows(() => importLibcryptoKey(pkcs8, "no_such_file"), FfiError);
  });
}

/** Counts calls of the function `name` of what is loaded from now on. */
function countFrees(name: string): Disposable & { readonly count: number } {
  const { dlopen } = Deno;
  let count = 0;
  Deno.dlopen = (path, declared) => {
    const library = dlopen(path, declared);
    const free = Reflect.get(library.symbols, name) as (
      pointer: Deno.PointerValue,
    ) => void;
    const counted = (pointer: Deno.PointerValue) => {
      count++;
      free(pointer);
    };
    const symbols = { ...library.symbols, [name]: counted };
    return { symbols, close: () => library.close() };
  };
  return {
    get count() {
      return count;
    },
    [Symbol.dispose]: () => void (Deno.dlopen = dlopen),
  };
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
