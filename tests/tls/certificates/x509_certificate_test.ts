import { assertEquals, assertThrows } from "@std/assert";
import { concat, DecodeError, utf8 } from "../../../src/core/bytes/mod.ts";
import { importSigningKey } from "../../../src/core/crypto/mod.ts";
import { Reader } from "../../../src/core/bytes/mod.ts";
import { readTime } from "../../../src/tls/certificates/x509_certificate.ts";
import { readDer } from "../../../src/tls/certificates/der.ts";
import { spkiOf } from "../../../src/tls/mod.ts";
import { testCertificate, type TestKey } from "../_certificates.ts";

Deno.test("spkiOf() is the public key of the certificate's private key", () => {
  const keys: TestKey[] = ["p256", "p384", "p521", "rsa", "rsaPss", "ed25519"];
  for (const key of keys) {
    const { chain, pkcs8 } = testCertificate(key);
    using signingKey = importSigningKey(pkcs8);
    assertEquals(spkiOf(chain[0]!), signingKey.publicKeySpki);
  }
});

Deno.test("spkiOf() refuses what is no certificate", () => {
  assertThrows(() => spkiOf(new Uint8Array(0)), DecodeError);
  assertThrows(() => spkiOf(Uint8Array.of(0x30, 0)), DecodeError);
});

Deno.test("readDer() takes the shortest form of a length only", () => {
  const value = (header: string, length: number) => {
    const bytes = concat(Uint8Array.fromHex(header), new Uint8Array(length));
    return readDer(new Reader(bytes, "value")).contents.length;
  };
  assertEquals(value("047f", 127), 127);
  assertEquals(value("048180", 128), 128);
  assertEquals(value("04820100", 256), 256);
  for (
    const [header, length] of [
      ["04817f", 127], // one byte would do
      ["04820080", 128],
      ["0480", 0], // indefinite
      ["0485000000000100", 1],
      ["0402", 1], // cut short
      ["1f0100", 0], // long tag
      ["", 0],
    ] as const
  ) assertThrows(() => value(header, length), DecodeError, undefined, header);
});

Deno.test("readTime() reads both forms of a time and no other", () => {
  const read = (tag: number, text: string) =>
    readTime(
      new Reader(concat(Uint8Array.of(tag, text.length), utf8(text)), "time"),
    );
  const [utc, generalized] = [0x17, 0x18];
  assertEquals(read(utc, "491231235959Z"), Date.UTC(2049, 11, 31, 23, 59, 59));
  assertEquals(read(utc, "500101000000Z"), Date.UTC(1950, 0));
  assertEquals(read(generalized, "20500101000000Z"), Date.UTC(2050, 0));
  assertEquals(
    read(generalized, "99991231235959Z"),
    Date.UTC(9999, 11, 31, 23, 59, 59),
  );
  assertEquals(read(utc, "240229000000Z"), Date.UTC(2024, 1, 29));
  for (
    const [tag, text] of [
      [generalized, "20230229000000Z"],
      [generalized, "20230230120000Z"],
      [generalized, "20230431000000Z"],
      [generalized, "20230101240000Z"],
      [generalized, "20230101006000Z"],
      [generalized, "20161231235960Z"],
      [utc, "230229000000Z"],
      [utc, "4912312359Z"],
      [utc, "491231235959+0000"],
      [utc, "20500101000000Z"],
      [generalized, "500101000000Z"],
      [generalized, "20500101000000.5Z"],
      [generalized, "20501301000000Z"],
      [generalized, "20500101250000Z"],
      [0x16, "491231235959Z"],
    ] as const
  ) assertThrows(() => read(tag, text), DecodeError, undefined, text);
});
