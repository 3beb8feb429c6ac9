import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  type Aead,
  CryptoError,
  type CryptoProvider,
  type Ecdh,
  type HashName,
} from "../../../src/core/crypto/mod.ts";
import { hex, vectors } from "./vectors.ts";

/** Lengths of nonces that the port takes. */
const GCM_NONCES = [8, 9, 10, 11, 12, 13, 14, 15, 16];

type Test = Readonly<Record<string, string>>;

/** Every test of the Wycheproof files: valid ones pass, invalid ones fail. */
export function testWycheproof(c: CryptoProvider): void {
  const each = (file: string, fn: (t: Test) => void) =>
    Deno.test(`${c.name}: Wycheproof ${file}`, () => {
      for (const t of vectors(`wycheproof/${file}`)) {
        try {
          fn(t);
        } catch (cause) {
          throw new Error(`tcId ${t.tcId} (${t.result})`, { cause });
        }
      }
    });

  each("x25519", (t) => checkX25519(c, t));
  each("ecdh_secp256r1_ecpoint", (t) => checkEcdh(c.p256, t));
  each("ecdh_secp384r1_ecpoint", (t) => checkEcdh(c.p384, t));
  each("ed25519", (t) => {
    const verified = c.ed25519.verify(hex(t.pk), hex(t.msg), hex(t.sig));
    assertEquals(verified, t.result === "valid");
  });
  each("chacha20_poly1305", (t) => {
    checkAead((key) => c.chacha20poly1305(key), [32], t);
  });
  each("aes_gcm", (t) => {
    checkAead(
      (key) => c.aesGcm(key, t.iv!.length / 2),
      [16, 32],
      t,
      GCM_NONCES,
    );
  });
  for (const hash of ["sha256", "sha384", "sha512"] as const) {
    each(`hkdf_${hash}`, (t) => checkHkdf(c, hash, t));
    each(`hmac_${hash}`, (t) => {
      const tag = c.hmac(hash, hex(t.key), hex(t.msg)).toHex();
      const same = tag.slice(0, t.tag!.length) === t.tag;
      assertEquals(same, t.result === "valid");
    });
  }
}

/**
 * "Acceptable" are public keys that are not in shortest form, on the twist, or of small order. The port takes them as
 * RFC 7748 §5 and §7 say, and refuses only an all-zero secret (§6.1).
 */
function checkX25519(c: CryptoProvider, t: Test): void {
  const agree = () => c.x25519.sharedSecret(hex(t.private), hex(t.public));
  assert(t.result !== "invalid");
  if (t.flags!.includes("ZeroSharedSecret")) {
    assertEquals(assertThrows(agree, CryptoError).code, "weak_key");
  } else {
    assertEquals(agree().toHex(), t.shared);
  }
}

/** Compressed points are right or wrong for Wycheproof, but no public keys of the port. Private keys are numbers of any length. */
function checkEcdh(curve: Ecdh, t: Test): void {
  const number = t.private!.replace(/^(00)+/, "");
  const privateKey = hex(number.padStart(2 * curve.length, "0"));
  const agree = () => curve.sharedSecret(privateKey, hex(t.public));
  if (t.result === "valid") {
    assertEquals(agree().toHex(), t.shared);
  } else {
    assertEquals(assertThrows(agree, CryptoError).code, "invalid_key");
  }
}

/** The port has no 24-byte keys and no nonces other than 12 bytes: those tests must be refused as our caller's mistake. */
function checkAead(
  make: (key: Uint8Array) => Aead,
  keyLengths: readonly number[],
  t: Test,
  nonceLengths: readonly number[] = [12],
): void {
  const [key, nonce, aad, msg] = [t.key, t.iv, t.aad, t.msg].map(hex);
  const sealed = t.ct! + t.tag!;
  const seal = () => make(key!).seal(nonce!, msg!, aad).toHex();
  const open = () => make(key!).open(nonce!, hex(sealed), aad);
  if (
    !keyLengths.includes(key!.length) || !nonceLengths.includes(nonce!.length)
  ) {
    assertThrows(seal, RangeError);
    assertThrows(open, RangeError);
  } else if (t.result === "valid") {
    assertEquals(seal(), sealed);
    assertEquals(open(), msg);
  } else {
    assertFalse(seal() === sealed);
    assertEquals(assertThrows(open, CryptoError).code, "unauthenticated");
  }
}

/** The only invalid tests ask for more than 255 blocks. */
function checkHkdf(c: CryptoProvider, hash: HashName, t: Test): void {
  const derive = () =>
    c.hkdf(hash, hex(t.ikm), hex(t.salt), hex(t.info), Number(t.size));
  if (t.result === "invalid") {
    assertThrows(derive, RangeError);
  } else {
    assertEquals(c.hash("sha256", derive()).toHex(), t.okmSha256);
  }
}
