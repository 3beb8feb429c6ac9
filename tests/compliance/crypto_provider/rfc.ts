import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Bytes } from "../../../src/core/bytes/mod.ts";
import type {
  CryptoProvider,
  Ecdh,
  HashName,
} from "../../../src/core/crypto/mod.ts";
import { blake2b } from "@noble/hashes/blake2.js";
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

  test("blake2bMac() passes the self-test of RFC 7693 appendix E", () => {
    const all = blake2b.create({ dkLen: 32 });
    for (const length of [20, 32, 48, 64]) {
      for (const messageLength of [0, 3, 128, 129, 255, 1024]) {
        const message = sequence(messageLength);
        all.update(blake2b(message, { dkLen: length }));
        all.update(c.blake2bMac(sequence(length), length, message));
      }
    }
    assertEquals(
      new Uint8Array(all.digest()).toHex(),
      "c23a7800d98123bd10f506c61e29da5603d763b8bbad2e737f5e765a7bccd475",
    );
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

  test("aesKeyWrap agrees with RFC 3394 §4.1, §4.3 and §4.6", () => {
    const cases = [
      [
        "000102030405060708090a0b0c0d0e0f",
        "00112233445566778899aabbccddeeff",
        "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
      ],
      [
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "00112233445566778899aabbccddeeff",
        "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7",
      ],
      [
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
        "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
      ],
    ] as const;
    for (const [wrappingKey, key, wrapped] of cases) {
      const made = c.aesKeyWrap.wrap(hex(wrappingKey), hex(key));
      assertEquals(made.toHex(), wrapped);
      const unwrapped = c.aesKeyWrap.unwrap(hex(wrappingKey), hex(wrapped));
      assertEquals(unwrapped.toHex(), key);
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

  test("p256 agrees with the exchange of RFC 5903 §8.1", () => {
    checkExchange(c.p256, {
      i: "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
      gi:
        "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
      r: "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
      gr:
        "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
      gir: "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de",
    });
  });

  test("p384 agrees with the exchange of RFC 5903 §8.2", () => {
    checkExchange(c.p384, {
      i: "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee3faef896783ab194",
      gi:
        "04667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4c88732aee95f41aa9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c",
      r: "41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942e0308312916b8ed2960e4bd55a7448fc",
      gr:
        "04e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d0d1ac43a0336def96fda41d0774a3571dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c",
      gir:
        "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746",
    });
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
      const signer = c.ed25519.signer(seed);
      seed.fill(0);
      for (let i = 0; i < 2; i++) {
        assertEquals(signer.sign(message).toHex(), t.signature);
      }
      signer[Symbol.dispose]();
      assertThrows(() => signer.sign(message), TypeError);
      assert(c.ed25519.verify(key, message, hex(t.signature)));
    }
  });
}

/** A key agreement as RFC 5903 names its values: private i and r, public gi and gr, shared gir. */
function checkExchange(
  curve: Ecdh,
  t: Record<"i" | "gi" | "r" | "gr" | "gir", string>,
): void {
  assertEquals(curve.publicKey(hex(t.i)).toHex(), t.gi);
  assertEquals(curve.publicKey(hex(t.r)).toHex(), t.gr);
  assertEquals(curve.sharedSecret(hex(t.i), hex(t.gr)).toHex(), t.gir);
  assertEquals(curve.sharedSecret(hex(t.r), hex(t.gi)).toHex(), t.gir);
}

/** selftest_seq of RFC 7693 appendix E: the high bytes of a Fibonacci sequence. */
function sequence(length: number): Bytes {
  let [a, b] = [Math.imul(0xdead4bad, length) >>> 0, 1];
  return Uint8Array.from({ length }, () => {
    [a, b] = [b, (a + b) >>> 0];
    return b >>> 24;
  });
}
