import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../../src/core/bytes/mod.ts";
import type { CryptoProvider, HashName } from "../../../src/core/crypto/mod.ts";
import { hex, vectors } from "./vectors.ts";

/** Vectors printed in RFCs and NIST documents. */
export function testRfcVectors(c: CryptoProvider): void {
  const test = (name: string, fn: () => void) =>
    Deno.test(`${c.name}: ${name}`, fn);

  test("hash() agrees with FIPS 180-4 and RFC 7693 messages", () => {
    for (const t of vectors("rfc/hash")) {
      assertEquals(
        c.hash(t.name as HashName, hex(t.message)).toHex(),
        t.digest,
      );
    }
  });

  test("hmac() agrees with RFC 4231", () => {
    for (const t of vectors("rfc/hmac")) {
      const tag = c.hmac(t.name as HashName, hex(t.key), hex(t.message));
      assertEquals(tag.toHex().slice(0, t.tag!.length), t.tag);
    }
  });

  test("hkdf() and hkdfExpand() agree with RFC 5869 A.1 to A.3", () => {
    for (const t of vectors("rfc/hkdf_sha256")) {
      const [info, length] = [hex(t.info), Number(t.length)];
      assertEquals(c.hmac("sha256", hex(t.salt), hex(t.ikm)).toHex(), t.prk);
      assertEquals(
        c.hkdfExpand("sha256", hex(t.prk), info, length).toHex(),
        t.okm,
      );
      assertEquals(
        c.hkdf("sha256", hex(t.ikm), hex(t.salt), info, length).toHex(),
        t.okm,
      );
    }
  });

  test("chacha20() agrees with RFC 8439 A.2", () => {
    for (const t of vectors("rfc/chacha20")) {
      const [key, nonce] = [hex(t.key), hex(t.nonce)];
      const out = c.chacha20(key, nonce, Number(t.counter), hex(t.plaintext));
      assertEquals(out.toHex(), t.ciphertext);
    }
  });

  test("aesCtr() agrees with SP 800-38A F.5 and RFC 3686", () => {
    for (const t of vectors("rfc/aes_ctr")) {
      const out = c.aesCtr(hex(t.key), hex(t.iv), hex(t.plaintext));
      assertEquals(out.toHex(), t.ciphertext);
    }
  });

  test("x25519.sharedSecret() agrees with RFC 7748 §5.2", () => {
    for (const t of vectors("rfc/x25519")) {
      assertEquals(
        c.x25519.sharedSecret(hex(t.scalar), hex(t.u)).toHex(),
        t.output,
      );
    }
  });

  test("x25519.sharedSecret() survives the 1,000 iterations of RFC 7748 §5.2", () => {
    let [k, u]: [Bytes, Bytes] = [
      hex("09" + "00".repeat(31)),
      hex("09" + "00".repeat(31)),
    ];
    for (let i = 0; i < 1000; i++) [k, u] = [c.x25519.sharedSecret(k, u), k];
    assertEquals(
      k.toHex(),
      "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
    );
  });

  test("x25519 agrees with the exchange of RFC 7748 §6.1", () => {
    const alice = hex(
      "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    );
    const bob = hex(
      "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
    );
    const [a, b] = [c.x25519.publicKey(alice), c.x25519.publicKey(bob)];
    const shared =
      "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    assertEquals(
      a.toHex(),
      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    );
    assertEquals(
      b.toHex(),
      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    );
    assertEquals(c.x25519.sharedSecret(alice, b).toHex(), shared);
    assertEquals(c.x25519.sharedSecret(bob, a).toHex(), shared);
  });

  test("ed25519 signs and verifies as in RFC 8032 §7.1", () => {
    for (const t of vectors("rfc/ed25519")) {
      const [seed, key, message] = [
        hex(t.seed),
        hex(t.publicKey),
        hex(t.message),
      ];
      assertEquals(c.ed25519.publicKey(seed), key);
      assertEquals(c.ed25519.sign(seed, message).toHex(), t.signature);
      assert(c.ed25519.verify(key, message, hex(t.signature)));
    }
  });
}
