import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  importSigningKey,
  SIGNATURE_SCHEME,
  type SignatureScheme,
  verifySignature,
} from "../../src/core/crypto/mod.ts";
import keys from "../vectors/x509/keys.json" with { type: "json" };

const message = Uint8Array.of(1, 2, 3);

const SCHEMES = {
  rsa: ["rsaPssRsaeSha256", "rsaPssRsaeSha384", "rsaPssRsaeSha512"],
  rsaPss: ["rsaPssPssSha256", "rsaPssPssSha384", "rsaPssPssSha512"],
  p256: ["ecdsaSecp256r1Sha256"],
  p384: ["ecdsaSecp384r1Sha384"],
  p521: ["ecdsaSecp521r1Sha512"],
  ed25519: ["ed25519"],
} as const;

for (const [name, schemes] of Object.entries(SCHEMES)) {
  Deno.test(`SigningKey of ${name} signs with ${schemes.join(", ")}`, () => {
    using key = importSigningKey(pkcs8(name as keyof typeof SCHEMES));
    assertEquals(key.schemes, schemes.map((name) => SIGNATURE_SCHEME[name]));
    for (const scheme of key.schemes) {
      const signature = key.sign(scheme, message);
      const verifies = (other: SignatureScheme, text: Uint8Array) =>
        verifySignature(other, key.publicKeySpki, text, signature);
      assert(verifies(scheme, message));
      assertEquals(verifies(scheme, Uint8Array.of(1, 2)), false);
      for (const other of Object.values(SIGNATURE_SCHEME)) {
        assertEquals(verifies(other, message), other === scheme);
      }
    }
  });
}

Deno.test("SigningKey refuses schemes of other keys, PKCS #1 among them", () => {
  using key = importSigningKey(pkcs8("rsa"));
  for (
    const name of ["rsaPkcs1Sha256", "rsaPssPssSha256", "ed25519"] as const
  ) {
    const scheme = SIGNATURE_SCHEME[name];
    assertThrows(() => key.sign(scheme, message), RangeError);
  }
});

Deno.test("SigningKey signs nothing after dispose", () => {
  const key = importSigningKey(pkcs8("ed25519"));
  key[Symbol.dispose]();
  assertThrows(() => key.sign(SIGNATURE_SCHEME.ed25519, message), TypeError);
});

Deno.test("importSigningKey() refuses weak keys, other curves and other bytes", () => {
  for (const name of ["rsa1024", "k256"] as const) {
    assertThrows(() => importSigningKey(pkcs8(name)), TypeError);
  }
  for (const bytes of [new Uint8Array(0), pkcs8("p256").slice(1)]) {
    const error = assertThrows(() => importSigningKey(bytes), TypeError);
    assertEquals(error.cause, undefined);
  }
});

function pkcs8(name: keyof typeof keys): Uint8Array {
  return Uint8Array.fromBase64(keys[name]);
}
