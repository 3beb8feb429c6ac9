import { assert, assertEquals } from "@std/assert";
import { decodeHex } from "../../src/core/bytes/mod.ts";
import {
  type ClientHello,
  decodeClientHello,
  explainClientHello,
  explainServerHello,
  firstHello,
  hellosIn,
} from "../../src/utls/mod.ts";
import { generator, mutate } from "../htx/_mutation.ts";
import { captures, messageOf } from "./_chrome_captures.ts";
import { foxioCapture } from "./_foxio.ts";

const chrome = captures();
const newest = chrome.at(-1)!;

function valuesOf(hello: ClientHello): Record<string, string> {
  return Object.fromEntries(
    explainClientHello(hello).map(({ name, value }) => [name, value]),
  );
}

Deno.test("explainClientHello() says every field of Chromium 156's hello", () => {
  const hello = decodeClientHello(messageOf(newest.psk[0]!));
  const values = valuesOf(hello);
  assertEquals(
    Object.keys(values).length,
    5 + hello.extensions!.length + 1, // fixed fields, extensions, their order
  );
  for (
    const [name, expected] of [
      ["legacy_version", /^TLS 1\.2$/],
      ["random", /^[0-9a-f]{64}$/],
      ["cipher_suites", /^GREASE 0x.a.a, TLS_AES_128_GCM_SHA256, .*_CBC_SHA$/],
      ["serverName", /^[a-z.0-9]+$/],
      ["alpn", /^(h2, )?http\/1\.1$/],
      ["applicationSettings", /^h2$/],
      [
        "supportedGroups",
        /^GREASE 0x.a.a, x25519MlKem768, x25519, p256, p384$/,
      ],
      [
        "keyShare",
        /^GREASE 0x.a.a 1 bytes, x25519MlKem768 1216 bytes, x25519 32 bytes$/,
      ],
      ["supportedVersions", /^GREASE 0x.a.a, TLS 1\.3, TLS 1\.2$/],
      ["signatureAlgorithms", /^GREASE 0x.a.a, mlDsa44, .*, rsaPkcs1Sha512$/],
      ["compressCertificate", /^brotli$/],
      [
        "encryptedClientHello",
        /^KDF 1, (AES-128-GCM|ChaCha20-Poly1305), config \d+, key 32 bytes, payload (144|176|208|240) bytes$/,
      ],
      [
        "preSharedKey",
        /^identity \d+ bytes, obfuscated age \d+, binder (32|48) bytes$/,
      ],
      ["pskKeyExchangeModes", /^pskDheKe$/],
      ["statusRequest", /^OCSP, responders empty, extensions empty$/],
      ["ecPointFormats", /^uncompressed$/],
      ["trustAnchors", /^44947\.2\.1, 44947\.2\.6, .*\.15$/],
      ["extension order", /preSharedKey$/],
    ] as const
  ) assert(expected.test(values[name] ?? ""), `${name}: ${values[name]}`);
});

Deno.test("explainClientHello() knows every extension of every captured Chrome", () => {
  for (const { full, psk } of chrome) {
    for (const captured of [...full, ...psk]) {
      const fields = explainClientHello(decodeClientHello(messageOf(captured)));
      for (const { name, value, meaning } of fields) {
        assert(!/^0x|not known|Malformed/i.test(`${name} ${meaning}`), name);
        assert(!value.startsWith("does not decode"), name);
      }
    }
  }
});

Deno.test("explainClientHello() reads extensions of other browsers", () => {
  const hello = decodeClientHello(messageOf(newest.full[0]!));
  for (
    const [type, data, name, expected] of [
      [28, "4001", "recordSizeLimit", "16385 bytes"],
      [
        34,
        "000404030503",
        "delegatedCredential",
        "ecdsaSecp256r1Sha256, ecdsaSecp384r1Sha384",
      ],
      [42, "", "earlyData", "empty"],
      [44, "0003aabbcc", "cookie", "3 bytes"],
      [45, "020001", "pskKeyExchangeModes", "pskKe, pskDheKe"],
      [47, "00080001aa0003bbbbbb", "certificateAuthorities", "2 names"],
      [50, "00020804", "signatureAlgorithmsCert", "rsaPssRsaeSha256"],
    ] as const
  ) {
    const extensions = [{ type, data: decodeHex(data) }];
    const fields = explainClientHello({ ...hello, extensions });
    const found = fields.find((field) => field.name === name);
    assertEquals(found?.value, expected);
    assert(found!.meaning !== "Not known here");
  }
});

Deno.test("explainClientHello() shows what does not decode, or is not known, in hexadecimal", () => {
  const { extensions: _, ...hello } = decodeClientHello(
    messageOf(newest.full[0]!),
  );
  const strange = {
    ...hello,
    extensions: [
      { type: 0, data: decodeHex("00ff") },
      { type: 0x7777, data: decodeHex("abcd") },
    ],
  };
  const values = valuesOf(strange);
  assertEquals(values["serverName"], "does not decode: 00ff");
  assertEquals(values["0x7777"], "abcd");
  assertEquals(valuesOf(hello)["extension order"], undefined);
});

Deno.test("explainServerHello() says what the server chose, and that it asks again", () => {
  const found = [...hellosIn(foxioCapture("tls-handshake.pcapng"))]
    .filter((each) => each.from === "server");
  const meanings = new Set<string>();
  for (const { hello } of found) {
    const fields = explainServerHello(hello);
    meanings.add(fields[1]!.meaning);
    assert(/^TLS_/.test(fields[3]!.value));
  }
  assertEquals(meanings.size, 2);
  const tls13 = explainServerHello(found[0]!.hello);
  const value = (name: string) => tls13.find((f) => f.name === name)?.value;
  assertEquals(value("supportedVersions"), "TLS 1.3");
  assertEquals(value("keyShare"), "x25519, 36 bytes");
});

Deno.test("explainClientHello() never fails, whatever the hello", () => {
  const random = generator(5);
  const record = decodeHex(newest.full[0]!.record);
  for (let i = 0; i < 5_000; i++) {
    let hello;
    try {
      hello = decodeClientHello(firstHello(mutate(record, random)));
    } catch {
      continue; // its codec's test says how it fails
    }
    assert(explainClientHello(hello).length >= 5);
  }
});
