import { assertEquals } from "@std/assert";
import { hexDigest } from "../../src/core/crypto/mod.ts";

Deno.test("hexDigest() gives the MD5 digests of RFC 1321 A.5", () => {
  const expected = {
    "": "d41d8cd98f00b204e9800998ecf8427e",
    "a": "0cc175b9c0f1b6a831c399e269772661",
    "abc": "900150983cd24fb0d6963f7d28e17f72",
    "message digest": "f96b697d7cb7938d525a2f31aaf161d0",
    "abcdefghijklmnopqrstuvwxyz": "c3fcd3d76192e4007dfb496cca67e13b",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789":
      "d174ab98d277d9f5a5611c2c9f419d9f",
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890":
      "57edf4a22be3c955ac49da2e2107b67a",
  };
  for (const [text, digest] of Object.entries(expected)) {
    assertEquals(hexDigest("md5", text), digest);
    assertEquals(hexDigest("md5", new TextEncoder().encode(text)), digest);
  }
});

Deno.test("hexDigest() gives the SHA-256 digests of FIPS 180-4's examples", () => {
  assertEquals(
    hexDigest("sha256", "abc"),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  assertEquals(
    hexDigest(
      "sha256",
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    ),
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  );
});
