import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError, decodeHex } from "../../src/core/bytes/mod.ts";
import { hexDigest } from "../../src/core/crypto/mod.ts";
import {
  type ClientHello,
  decodeClientHello,
  EXTENSION,
  ja3,
  ja3n,
  ja3nText,
  ja3Text,
} from "../../src/utls/mod.ts";
import { captures, messageOf } from "./_chrome_captures.ts";
import { publishedHellos } from "./_foxio.ts";

const { foxio, spec_examples } = publishedHellos();

/** A hello of lists as JA3 writes them. */
function helloOf(text: string): ClientHello {
  const [version, suites, types, groups, formats] = text.split(",")
    .map((list) => list === "" ? [] : list.split("-").map(Number));
  const data = (type: number): Uint8Array => {
    if (type === EXTENSION.supportedGroups) {
      const bytes = groups!.flatMap((group) => [group >> 8, group & 0xff]);
      return Uint8Array.of(0, bytes.length, ...bytes);
    }
    return type === EXTENSION.ecPointFormats
      ? Uint8Array.of(formats!.length, ...formats!)
      : new Uint8Array(0);
  };
  return {
    legacyVersion: version![0]!,
    random: new Uint8Array(32),
    sessionId: new Uint8Array(0),
    cipherSuites: suites!,
    compressionMethods: new Uint8Array(1),
    extensions: types!.map((type) => ({ type, data: data(type) })),
  };
}

Deno.test("ja3() gives the examples of its authors, empty lists included", () => {
  for (const { text, md5 } of spec_examples.ja3) {
    assertEquals(ja3Text(helloOf(text)), text);
    assertEquals(ja3(helloOf(text)), md5);
  }
});

Deno.test("ja3() gives what tshark gives for 114 hellos", () => {
  assertEquals(foxio.length, 114);
  for (const { client_hello, expected } of foxio) {
    const hello = decodeClientHello(decodeHex(client_hello));
    assertEquals(ja3Text(hello), expected.ja3_text);
    assertEquals(ja3(hello), expected.ja3);
  }
});

Deno.test("ja3n() is the same for all hellos of a Chrome that permutes extensions", () => {
  for (const { full, psk } of captures()) {
    for (const captured of [...full, ...psk]) {
      const hello = decodeClientHello(messageOf(captured));
      assertEquals(ja3n(hello), captured.ja3n);
      assertEquals(ja3n(hello), hexDigest("md5", ja3nText(hello)));
    }
  }
});

Deno.test("ja3() rejects lists that do not decode", () => {
  const hello = helloOf("771,4865,10,29,0");
  for (const data of ["00", "0003001d", "0002001d00", "0001ff"]) {
    const extensions = [{
      type: EXTENSION.supportedGroups,
      data: decodeHex(data),
    }];
    assertThrows(() => ja3({ ...hello, extensions }), DecodeError);
  }
  for (const data of ["", "02", "0100ff"]) {
    const extensions = [{
      type: EXTENSION.ecPointFormats,
      data: decodeHex(data),
    }];
    assertThrows(() => ja3({ ...hello, extensions }), DecodeError);
  }
});
