import {
  assert,
  assertEquals,
  assertFalse,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { inspect } from "node:util";
import { Secret } from "../../src/core/crypto/mod.ts";

Deno.test("Secret prints [secret] wherever a value can be printed", () => {
  using secret = new Secret(Uint8Array.of(104, 117, 115, 104));
  assertEquals(`${secret}`, "[secret]");
  assertEquals(String(secret), "[secret]");
  assertEquals("" + secret, "[secret]");
  assertEquals(JSON.stringify({ secret }), '{"secret":"[secret]"}');
  assertEquals(Deno.inspect(secret), "[secret]");
  assertEquals(Deno.inspect({ secret }), "{ secret: [secret] }");
  assertEquals(inspect({ secret }), "{ secret: [secret] }");
  assertEquals(Object.keys(secret), []);
});

Deno.test("Secret.expose() gives the caller's array itself", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  using secret = new Secret(bytes);
  assertStrictEquals(secret.expose(), bytes);
});

Deno.test("Secret.equals() compares contents", () => {
  using secret = new Secret(Uint8Array.of(1, 2, 3));
  using same = new Secret(Uint8Array.of(1, 2, 3));
  using other = new Secret(Uint8Array.of(1, 2, 4));
  using shorter = new Secret(Uint8Array.of(1, 2));
  assert(secret.equals(same));
  assertFalse(secret.equals(other));
  assertFalse(secret.equals(shorter));
});

Deno.test("Secret wipes its bytes on dispose and refuses every later use", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const secret = new Secret(bytes);
  using other = new Secret(Uint8Array.of(1, 2, 3));
  secret[Symbol.dispose]();
  assertEquals(bytes, new Uint8Array(3));
  assertThrows(() => secret.expose(), TypeError);
  assertThrows(() => secret.equals(other), TypeError);
  assertThrows(() => other.equals(secret), TypeError);
  assertEquals(`${secret}`, "[secret]");
  secret[Symbol.dispose]();
});
