import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, DecodeError, decodeHex } from "../../src/core/bytes/mod.ts";
import {
  decodeClientHello,
  encodeClientHello,
  type Extension,
  firstHello,
  ja3,
  ja4,
  MAX_EXTENSIONS,
} from "../../src/utls/mod.ts";
import { generator, mutate } from "../htx/_mutation.ts";
import { captures, flows, messageOf } from "./_chrome_captures.ts";
import { publishedHellos } from "./_foxio.ts";

const chrome = captures();
const MESSAGES = [
  ...chrome.flatMap(({ full, psk }) => [...full, ...psk]).map(messageOf),
  ...Object.values(flows()).flat().flatMap(({ hellos }) => hellos)
    .map(messageOf),
  ...publishedHellos().foxio.map((hello) => decodeHex(hello.client_hello)),
];
const hello = MESSAGES[0]!;

Deno.test("encodeClientHello() gives back every captured hello that decodeClientHello() reads", () => {
  assert(MESSAGES.length > 200);
  for (const message of MESSAGES) {
    assertEquals(encodeClientHello(decodeClientHello(message)), message);
  }
});

Deno.test("encodeClientHello() keeps a hello without extensions apart from one with none", () => {
  const decoded = decodeClientHello(hello);
  const { extensions: _, ...bare } = decoded;
  const without = encodeClientHello(bare);
  const empty = encodeClientHello({ ...bare, extensions: [] });
  assertEquals(empty.length, without.length + 2);
  assertEquals(decodeClientHello(without).extensions, undefined);
  assertEquals(decodeClientHello(empty).extensions, []);
});

Deno.test("decodeClientHello() rejects every truncation, and trailing bytes", () => {
  for (let length = 0; length < hello.length; length++) {
    assertThrows(
      () => decodeClientHello(hello.subarray(0, length)),
      DecodeError,
    );
  }
  assertThrows(
    () => decodeClientHello(concat(hello, Uint8Array.of(0))),
    DecodeError,
  );
});

Deno.test("decodeClientHello() rejects another message, a long session id and too many extensions", () => {
  const decoded = decodeClientHello(hello);
  const other = hello.slice();
  other[0] = 2;
  assertThrows(() => decodeClientHello(other), DecodeError, "not a");
  const long = { ...decoded, sessionId: new Uint8Array(33) };
  assertThrows(
    () => decodeClientHello(encodeClientHello(long)),
    DecodeError,
    "session id of 33 bytes",
  );
  const extensions = Array.from(
    { length: MAX_EXTENSIONS + 1 },
    (_, type): Extension => ({ type, data: new Uint8Array(0) }),
  );
  assertThrows(
    () => decodeClientHello(encodeClientHello({ ...decoded, extensions })),
    DecodeError,
    "more than 256 extensions",
  );
});

Deno.test("100,000 mutated hellos decode or fail with DecodeError, and their fingerprints too", () => {
  const random = generator(1);
  const records = chrome.map(({ full }) => decodeHex(full[0]!.record));
  let decoded = 0;
  for (let i = 0; i < 100_000; i++) {
    const bytes = mutate(records[random(records.length)]!, random);
    try {
      const found = decodeClientHello(firstHello(bytes));
      decoded++;
      assertEquals(ja3(found).length, 32);
      assert(/^t.{9}_[0-9a-f]{12}_[0-9a-f]{12}$/.test(ja4(found)));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  assert(decoded > 10_000, `only ${decoded} decoded`);
});
