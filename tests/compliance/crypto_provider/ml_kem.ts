import { shake128 } from "@noble/hashes/sha3.js";
import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import {
  CryptoError,
  type CryptoProvider,
} from "../../../src/core/crypto/mod.ts";
import { hex, vectors } from "./vectors.ts";

/** ML-KEM-768: NIST's ACVP vectors, Wycheproof's, and the accumulated vectors of C2SP/CCTV. */
export function testMlKem(c: CryptoProvider): void {
  const kem = c.mlKem768;
  const sha256 = (bytes: Uint8Array) => c.hash("sha256", bytes).toHex();
  const test = (name: string, fn: () => void) =>
    Deno.test(`${c.name}: ML-KEM-768 ${name}`, fn);
  const each = (
    file: string,
    fn: (t: Readonly<Record<string, string>>) => void,
  ) =>
    test(file, () => {
      for (const t of vectors(file)) {
        try {
          fn(t);
        } catch (cause) {
          throw new Error(`tcId ${t.tcId} (${t.result})`, { cause });
        }
      }
    });

  for (
    const file of ["acvp/ml_kem_768_keygen", "wycheproof/mlkem_768_keygen_seed"]
  ) {
    each(file, (t) => {
      const pair = kem.generateKeyPair(hex(t.seed));
      assertEquals(sha256(pair.publicKey), t.ekSha256);
      assertEquals(sha256(pair.privateKey), t.dkSha256);
    });
  }

  each("acvp/ml_kem_768_encapsulation", (t) => {
    const { ciphertext, sharedSecret } = kem.encapsulate(hex(t.ek), hex(t.m));
    assertEquals(sha256(ciphertext), t.cSha256);
    assertEquals(sharedSecret.toHex(), t.k);
  });

  each("acvp/ml_kem_768_decapsulation", (t) => {
    assertEquals(kem.decapsulate(hex(t.dk), hex(t.c)).toHex(), t.k);
  });

  each("wycheproof/mlkem_768_encaps", (t) => {
    const encapsulate = () => kem.encapsulate(hex(t.ek), hex(t.m));
    if (t.result === "valid") {
      const { ciphertext, sharedSecret } = encapsulate();
      assertEquals(sha256(ciphertext), t.cSha256);
      assertEquals(sharedSecret.toHex(), t.K);
    } else {
      assertEquals(assertThrows(encapsulate, CryptoError).code, "invalid_key");
    }
  });

  each("wycheproof/mlkem_768", (t) => {
    const decapsulate = () =>
      kem.decapsulate(kem.generateKeyPair(hex(t.seed)).privateKey, hex(t.c));
    if (t.result === "valid") {
      assertEquals(decapsulate().toHex(), t.K);
    } else if (hex(t.seed).length !== 64) {
      assertThrows(decapsulate, RangeError);
    } else {
      assertEquals(assertThrows(decapsulate, CryptoError).code, "invalid_key");
    }
  });

  each("wycheproof/mlkem_768_semi_expanded_decaps", (t) => {
    const decapsulate = () => kem.decapsulate(hex(t.dk), hex(t.c));
    if (t.result === "valid") {
      assertEquals(decapsulate().toHex(), t.K);
    } else {
      assertEquals(assertThrows(decapsulate, CryptoError).code, "invalid_key");
    }
  });

  test("agrees with 100 accumulated CCTV vectors", () => {
    const stream = shake128.create({});
    const outputs = shake128.create({ dkLen: 32 });
    for (let i = 0; i < 100; i++) {
      const { publicKey, privateKey } = kem.generateKeyPair(stream.xof(64));
      const { ciphertext, sharedSecret } = kem.encapsulate(
        publicKey,
        stream.xof(32),
      );
      assertEquals(kem.decapsulate(privateKey, ciphertext), sharedSecret);
      const rejected = kem.decapsulate(privateKey, stream.xof(1088));
      for (const part of [publicKey, ciphertext, sharedSecret, rejected]) {
        outputs.update(part);
      }
    }
    assertEquals(
      outputs.digest().toHex(),
      "1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415",
    );
  });

  test("draws fresh randomness when no seed is given", () => {
    const pair = kem.generateKeyPair();
    assertNotEquals(kem.generateKeyPair().publicKey, pair.publicKey);
    const [a, b] = [pair, pair].map((p) => kem.encapsulate(p.publicKey));
    assertNotEquals(a!.sharedSecret, b!.sharedSecret);
    assertEquals(
      kem.decapsulate(pair.privateKey, a!.ciphertext),
      a!.sharedSecret,
    );
  });

  test("refuses seeds of a wrong length as the caller's mistake", () => {
    const { publicKey } = kem.generateKeyPair();
    for (const length of [0, 32, 63, 65]) {
      assertThrows(
        () => kem.generateKeyPair(new Uint8Array(length)),
        RangeError,
      );
    }
    for (const length of [0, 31, 33, 64]) {
      const seed = new Uint8Array(length);
      assertThrows(() => kem.encapsulate(publicKey, seed), RangeError);
    }
  });
}
