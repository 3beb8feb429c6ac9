import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { type Bytes, concat, utf8 } from "../../src/core/bytes/mod.ts";
import {
  checkedProvider,
  type CryptoProvider,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import { CipherState, NoiseError } from "../../src/core/noise/mod.ts";
import { PROVIDERS } from "./_pair.ts";

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);
const AD = utf8("ad");
const EMPTY = new Uint8Array(0);
const LAST_NONCE = 2n ** 64n - 2n;

Deno.test("encryptWithAd() puts the counter behind four zero bytes, little-endian", () => {
  const aead = nodeProvider.chacha20poly1305(KEY);
  const cipher = make();
  cipher.setNonce(0x0102030405060708n);
  const nonce = Uint8Array.of(0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1);
  const sealed = cipher.encryptWithAd(AD, utf8("text"));
  assertEquals(sealed, aead.seal(nonce, utf8("text"), AD));
  assertEquals(cipher.nonce, 0x0102030405060709n);
});

Deno.test("decryptWithAd() opens what encryptWithAd() sealed, in order", () => {
  const [sender, receiver] = [make(), make()];
  for (let i = 0; i < 300; i++) {
    const text = nodeProvider.random(i);
    assertEquals(
      receiver.decryptWithAd(AD, sender.encryptWithAd(AD, text)),
      text,
    );
  }
  assertEquals([sender.nonce, receiver.nonce], [300n, 300n]);
});

Deno.test("decryptWithAd() rejects every change and keeps its nonce", () => {
  const receiver = make();
  const sealed = make().encryptWithAd(AD, utf8("text"));
  for (let at = 0; at < sealed.length; at++) {
    assertCode(
      "rejected",
      () => receiver.decryptWithAd(AD, sealed.with(at, sealed[at]! ^ 1)),
    );
    assertCode(
      "rejected",
      () => receiver.decryptWithAd(AD, sealed.slice(0, at)),
    );
  }
  assertCode("rejected", () => receiver.decryptWithAd(EMPTY, sealed));
  assertCode(
    "rejected",
    () => receiver.decryptWithAd(AD, concat(sealed, EMPTY, KEY)),
  );
  assertCode(
    "rejected",
    () => receiver.decryptWithAd(AD, new Uint8Array(65_536)),
  );
  assertEquals(receiver.nonce, 0n);
  assertEquals(receiver.decryptWithAd(AD, sealed), utf8("text"));
  assertCode("rejected", () => receiver.decryptWithAd(AD, sealed));
});

Deno.test("setNonce() lets a receiver take messages out of order", () => {
  const [sender, receiver] = [make(), make()];
  const sealed = [0, 1, 2].map((i) =>
    sender.encryptWithAd(AD, Uint8Array.of(i))
  );
  for (const i of [2, 0, 1]) {
    receiver.setNonce(BigInt(i));
    assertEquals(receiver.decryptWithAd(AD, sealed[i]!), Uint8Array.of(i));
  }
  assertThrows(() => receiver.setNonce(-1n), RangeError);
  assertThrows(() => receiver.setNonce(2n ** 64n), RangeError);
});

Deno.test("the nonce 2^64 - 1 is never used", () => {
  const [sender, receiver] = [make(), make()];
  sender.setNonce(LAST_NONCE);
  receiver.setNonce(LAST_NONCE);
  const sealed = sender.encryptWithAd(AD, EMPTY);
  assertEquals(receiver.decryptWithAd(AD, sealed), EMPTY);
  assertCode("exhausted", () => sender.encryptWithAd(AD, EMPTY));
  assertCode("exhausted", () => receiver.decryptWithAd(AD, sealed));
});

Deno.test("encryptWithAd() takes up to 65519 bytes", () => {
  const [sender, receiver] = [make(), make()];
  const sealed = sender.encryptWithAd(AD, new Uint8Array(65_519));
  assertEquals(sealed.length, 65_535);
  assertEquals(receiver.decryptWithAd(AD, sealed).length, 65_519);
  assertThrows(
    () => sender.encryptWithAd(AD, new Uint8Array(65_520)),
    RangeError,
  );
  assertEquals(sender.nonce, 1n);
});

for (const crypto of PROVIDERS) {
  Deno.test(`rekey() encrypts 32 zero bytes under nonce 2^64 - 1, with ${crypto.name}`, () => {
    const nonce = concat(new Uint8Array(4), new Uint8Array(8).fill(0xff));
    const next = crypto.chacha20poly1305(KEY)
      .seal(nonce, new Uint8Array(32)).slice(0, 32);
    const cipher = new CipherState(crypto, KEY.slice());
    cipher.encryptWithAd(AD, EMPTY);
    cipher.rekey();
    assertEquals(cipher.nonce, 1n);
    const expected = new CipherState(crypto, next);
    expected.setNonce(1n);
    assertEquals(cipher.encryptWithAd(AD, AD), expected.encryptWithAd(AD, AD));
  });
}

Deno.test("rekey() wipes what it derived the key from", () => {
  const sealed: Bytes[] = [];
  const crypto: CryptoProvider = {
    ...nodeProvider,
    chacha20poly1305(key) {
      const aead = nodeProvider.chacha20poly1305(key);
      return {
        ...aead,
        seal(nonce, plaintext) {
          const bytes = aead.seal(nonce, plaintext);
          sealed.push(bytes);
          return bytes;
        },
      };
    },
  };
  new CipherState(crypto, KEY.slice()).rekey();
  assertEquals(sealed, [new Uint8Array(48)]);
});

Deno.test("rekey() and dispose wipe the provider's copy of the key", () => {
  const copies: Uint8Array[] = [];
  const crypto = checkedProvider({
    ...nodeProvider,
    chacha20poly1305(copy) {
      copies.push(copy);
      return nodeProvider.chacha20poly1305(copy);
    },
  });
  const cipher = new CipherState(crypto, KEY.slice());
  assertEquals(copies, [KEY]);
  cipher.rekey();
  assertEquals(copies.length, 2);
  assertEquals(copies[0], new Uint8Array(32));
  assertNotEquals(copies[1], new Uint8Array(32));
  cipher[Symbol.dispose]();
  assertEquals(copies[1], new Uint8Array(32));
});

Deno.test("decryptWithAd() refuses a message over 65535 bytes that would verify", () => {
  const sealed = nodeProvider.chacha20poly1305(KEY)
    .seal(new Uint8Array(12), new Uint8Array(65_520), AD);
  assertCode("rejected", () => make().decryptWithAd(AD, sealed));
});

Deno.test("after rekey() the old key opens nothing and seals nothing the new one opens", () => {
  const [sender, receiver, old] = [make(), make(), make()];
  sender.rekey();
  const sealed = sender.encryptWithAd(AD, AD);
  assertCode("rejected", () => old.decryptWithAd(AD, sealed));
  receiver.rekey();
  assertCode(
    "rejected",
    () => receiver.decryptWithAd(AD, old.encryptWithAd(AD, AD)),
  );
  assertEquals(receiver.decryptWithAd(AD, sealed), AD);
  assertNotEquals(sealed, make().encryptWithAd(AD, AD));
});

Deno.test("dispose wipes the key and closes the cipher", () => {
  const key = KEY.slice();
  const cipher = new CipherState(nodeProvider, key);
  cipher[Symbol.dispose]();
  assertEquals(key, new Uint8Array(32));
  assertCode("closed", () => cipher.encryptWithAd(AD, AD));
  assertCode("closed", () => cipher.decryptWithAd(AD, new Uint8Array(32)));
  assertCode("closed", () => cipher.rekey());
});

Deno.test("new CipherState() wants 32 bytes", () => {
  assertThrows(
    () => new CipherState(nodeProvider, new Uint8Array(31)),
    RangeError,
  );
});

function make(): CipherState {
  return new CipherState(nodeProvider, KEY.slice());
}

function assertCode(code: NoiseError["code"], run: () => unknown): void {
  assertEquals(assertThrows(run, NoiseError).code, code);
}
