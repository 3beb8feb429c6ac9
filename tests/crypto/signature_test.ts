import { Buffer } from "node:buffer";
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign,
} from "node:crypto";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "../../src/core/bytes/mod.ts";
import {
  SIGNATURE_SCHEME,
  type SignatureScheme,
  verifySignature,
} from "../../src/core/crypto/mod.ts";
import keys from "../vectors/x509/keys.json" with { type: "json" };
import { hex, vectors } from "../compliance/crypto_provider/vectors.ts";

for (
  const name of [
    "ecdsa_p256",
    "ecdsa_p384",
    "ecdsa_p521",
    "rsa_pkcs1",
    "rsa_pss_rsae",
    "rsa_pss_pss",
  ]
) {
  Deno.test(`verifySignature() agrees with Wycheproof on ${name}`, () => {
    const wrong = vectors(`wycheproof/${name}`)
      .filter((test) => verifies(test) !== (test.result === "valid"))
      .map(({ tcId, result }) => `${tcId} ${result}`);
    assertEquals(wrong, []);
  });
}

function verifies(test: Readonly<Record<string, string>>): boolean {
  const scheme = SIGNATURE_SCHEME[test.scheme as keyof typeof SIGNATURE_SCHEME];
  return verifySignature(
    scheme,
    hex(test.spki),
    hex(test.msg),
    hex(test.sig),
  );
}

Deno.test("verifySignature() agrees with Wycheproof on ed25519", () => {
  const prefix = hex("302a300506032b6570032100");
  const wrong = vectors("wycheproof/ed25519").filter((test) => {
    const key = concat(prefix, hex(test.pk));
    const { ed25519 } = SIGNATURE_SCHEME;
    return verifySignature(ed25519, key, hex(test.msg), hex(test.sig)) !==
      (test.result === "valid");
  });
  assertEquals(wrong.map(({ tcId }) => tcId), []);
});

Deno.test("verifySignature() takes a key's signature under one scheme only", () => {
  for (
    const name of ["ecdsa_p256", "ecdsa_p384", "ecdsa_p521", "rsa_pkcs1"]
  ) {
    const test = vectors(`wycheproof/${name}`)
      .find(({ result }) => result === "valid")!;
    const [key, msg, sig] = [hex(test.spki), hex(test.msg), hex(test.sig)];
    const names = Object.entries(SIGNATURE_SCHEME)
      .filter(([, scheme]) => verifySignature(scheme, key, msg, sig))
      .map(([name]) => name);
    assertEquals(names, [test.scheme]);
  }
});

Deno.test("verifySignature() takes no damaged key or signature", () => {
  for (const name of ["ecdsa_p256", "rsa_pss_rsae", "rsa_pss_pss"]) {
    const test = vectors(`wycheproof/${name}`)
      .find(({ result }) => result === "valid")!;
    const spki = hex(test.spki);
    assert(verifies(test));
    for (const damaged of damage(spki)) {
      assertEquals(verifies({ ...test, spki: damaged.toHex() }), false);
    }
    for (const damaged of damage(hex(test.sig))) {
      assertEquals(verifies({ ...test, sig: damaged.toHex() }), false);
    }
  }
});

Deno.test("verifySignature() takes no RSA key that is too small or whose exponent is 1", () => {
  const key = createPrivateKey({
    key: Buffer.from(keys.rsa1024, "base64"),
    format: "der",
    type: "pkcs8",
  });
  const small = createPublicKey(key).export({ format: "der", type: "spki" });
  const message = Uint8Array.of(1, 2, 3);
  const signature = sign("sha256", message, key);
  const { rsaPkcs1Sha256 } = SIGNATURE_SCHEME;
  const verifies = (spki: Uint8Array, signature: Uint8Array) =>
    verifySignature(rsaPkcs1Sha256, spki, message, signature);
  assertEquals(verifies(small, signature), false);

  // With an exponent of 1 the padded hash is its own signature (RFC 8017 §8.2.2, §9.2).
  const hash = createHash("sha256").update(message).digest("hex");
  const info = `3031300d060960864801650304020105000420${hash}`;
  const padded = hex(`0001${"ff".repeat(256 - 3 - 51)}00${info}`);
  const modulus = `0282010100${"c5".repeat(256)}`;
  const spki = (exponent: string) =>
    hex(
      `30820120300d06092a864886f70d01010105000382010d0030820108${modulus}${exponent}`,
    );
  assertEquals(verifies(spki("020101"), padded), false);
});

Deno.test("verifySignature() refuses unknown schemes", () => {
  const none = new Uint8Array(0);
  assertThrows(
    () => verifySignature(0x0201 as SignatureScheme, none, none, none),
    RangeError,
  );
});

/** `bytes` cut short, with a byte behind, empty, and with one bit wrong at several places. */
function damage(bytes: Uint8Array): Uint8Array[] {
  const flipped = [0, 1, 0.3, 0.7, 0.99].map((at) => {
    const copy = new Uint8Array(bytes);
    copy[at === 1 ? 1 : Math.floor(at * bytes.length)]! ^= 1;
    return copy;
  });
  const empty = new Uint8Array(0);
  return [
    bytes.subarray(1),
    bytes.subarray(0, -1),
    concat(bytes, Uint8Array.of(0)),
    empty,
    ...flipped,
  ];
}
