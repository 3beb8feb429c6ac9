import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, DecodeError, decodeHex } from "../../src/core/bytes/mod.ts";
import {
  decodeServerHello,
  encodeServerHello,
  HELLO_RETRY_RANDOM,
  hellosIn,
  isHelloRetryRequest,
  ja3s,
  ja3sText,
} from "../../src/utls/mod.ts";
import { foxioCapture } from "./_foxio.ts";

const FOUND = ["tls-handshake.pcapng", "browsers-x509.pcapng"]
  .flatMap((name) => [...hellosIn(foxioCapture(name))])
  .filter((found) => found.from === "server");
const message = FOUND[0]!.message;

Deno.test("encodeServerHello() gives back every captured hello that decodeServerHello() reads", () => {
  assert(FOUND.length > 80);
  for (const { message, hello } of FOUND) {
    assertEquals(encodeServerHello(hello), message);
  }
});

Deno.test("decodeServerHello() rejects every truncation, trailing bytes and other messages", () => {
  for (let length = 0; length < message.length; length++) {
    assertThrows(
      () => decodeServerHello(message.subarray(0, length)),
      DecodeError,
    );
  }
  const trailing = concat(message, Uint8Array.of(0));
  assertThrows(() => decodeServerHello(trailing), DecodeError);
  const other = message.slice();
  other[0] = 1;
  assertThrows(() => decodeServerHello(other), DecodeError, "not a");
  const long = { ...FOUND[0]!.hello, sessionId: new Uint8Array(33) };
  assertThrows(
    () => decodeServerHello(encodeServerHello(long)),
    DecodeError,
    "session id of 33 bytes",
  );
});

Deno.test("isHelloRetryRequest() goes by the random", () => {
  const { hello } = FOUND[0]!;
  const random = decodeHex(HELLO_RETRY_RANDOM);
  assertEquals(isHelloRetryRequest({ ...hello, random }), true);
  random[31]! ^= 1;
  assertEquals(isHelloRetryRequest({ ...hello, random }), false);
  assert(FOUND.some(({ hello }) => isHelloRetryRequest(hello)));
});

Deno.test("ja3s() lists version, suite and extensions in the order sent", () => {
  const { hello } = FOUND.at(-3)!; // the first of browsers-x509.pcapng, where tshark 4.0.17 says the same
  assertEquals(ja3sText(hello), "771,49200,5-35-16-23-65281-0");
  assertEquals(ja3s(hello), "0f14538e1c9070becdad7739c67d6363");
});
