import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Bytes, concat, utf8 } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import {
  DATAGRAM_OVERHEAD,
  DatagramOpener,
  DatagramSealer,
} from "../../src/htx/datagram_protection.ts";
import { HtxError } from "../../src/htx/error.ts";
import { datagramKeys, deriveSessionKeys } from "../../src/htx/keys.ts";

const HASH = new Uint8Array(32).fill(7);
const HELLO = utf8("hello");
const EMPTY = new Uint8Array();

function sessionKeys() {
  const chainingKey = new Uint8Array(32).fill(9);
  return deriveSessionKeys(crypto, { chainingKey, handshakeHash: HASH });
}

function pair() {
  const keys = sessionKeys();
  return {
    sealer: new DatagramSealer(crypto, datagramKeys(crypto, keys.client), 0),
    opener: new DatagramOpener(crypto, datagramKeys(crypto, keys.client)),
  };
}

/** The datagram of `number`, of the generation that `ratchets` steps lead to, from the formulas of the profile alone. */
function byHand(number: number, ratchets: number, message: Uint8Array): Bytes {
  const { hkdf, chacha20poly1305 } = crypto;
  let secret = sessionKeys().client.secret;
  let salt = "datagram";
  let key: Bytes = EMPTY;
  for (let i = 0; i <= ratchets; i++) {
    const both = hkdf("sha256", secret, utf8(salt), HASH, 64);
    [key, secret, salt] = [both.slice(0, 32), both.slice(32), "next"];
  }
  const nonce = hkdf("sha256", key, utf8("ns"), EMPTY, 12);
  const view = new DataView(nonce.buffer);
  view.setUint32(0, view.getUint32(0, true) ^ number, true);
  const head = new Uint8Array(8);
  new DataView(head.buffer).setBigUint64(0, BigInt(number));
  return concat(head, chacha20poly1305(key).seal(nonce, message, head));
}

Deno.test("a datagram is as the profile's formulas say, in the first generation and the next", () => {
  const { sealer } = pair();
  assertEquals(sealer.seal(HELLO, 0), byHand(0, 0, HELLO));
  assertEquals(sealer.seal(EMPTY, 0), byHand(1, 0, EMPTY));
  for (let i = 2; i < 65_536; i++) sealer.seal(EMPTY, 0);
  assertEquals(sealer.seal(HELLO, 0), byHand(65_536, 1, HELLO));
});

Deno.test("a datagram opens once, in any order, with what was sealed", () => {
  const { sealer, opener } = pair();
  const sealed = Array.from(
    { length: 100 },
    (_, i) => sealer.seal(new Uint8Array(i), 0),
  );
  for (const each of sealed.toReversed()) {
    const opened = opener.open(each);
    assertEquals(opened.length, each.length - DATAGRAM_OVERHEAD);
  }
  for (const each of sealed) assertEquals(opener.open(each), "seen");
});

Deno.test("an hour skips to the next key, and what the first of it overtook still opens", () => {
  const { sealer, opener } = pair();
  const late = [sealer.seal(HELLO, 0), sealer.seal(HELLO, 3_599_999)];
  const next = sealer.seal(HELLO, 3_600_000);
  assertEquals(next, byHand(65_536, 1, HELLO));
  assertEquals(opener.open(next), HELLO);
  assertEquals(opener.open(late[0]!), "old", "65,536 behind");
  const last = sealer.seal(HELLO, 3_600_000);
  assertEquals(opener.open(last), HELLO);
});

Deno.test("datagrams of the generation before open behind the first of the next, within the window", () => {
  const { sealer, opener } = pair();
  let last: Bytes = EMPTY;
  for (let i = 0; i < 65_536; i++) last = sealer.seal(HELLO, 0);
  const next = sealer.seal(HELLO, 0);
  assertEquals(opener.open(next), HELLO);
  assertEquals(opener.open(last), HELLO);
  assertEquals(opener.open(last), "seen");
});

Deno.test("an opener finds the key of a datagram though all of the keys between were lost", () => {
  const { sealer, opener } = pair();
  const hour = 3_600_000;
  assertEquals(opener.open(sealer.seal(HELLO, 0)), HELLO);
  for (let lost = 1; lost <= 3; lost++) sealer.seal(HELLO, lost * hour);
  assertEquals(opener.open(sealer.seal(HELLO, 4 * hour)), HELLO);
  assertEquals(opener.open(byHand(260 * 65_536, 260, HELLO)), HELLO);
  assertEquals(opener.open(byHand(259 * 65_536, 259, HELLO)), "old");
});

Deno.test("what is no datagram is told from what is not the peer's", () => {
  const { sealer, opener } = pair();
  const sealed = sealer.seal(HELLO, 0);
  assertEquals(opener.open(sealed.subarray(0, 23)), "malformed");
  assertEquals(opener.open(new Uint8Array(40).fill(255)), "malformed");
  assertEquals(opener.open(byHand(257 * 65_536, 257, HELLO)), "ahead");
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice();
    changed[at]! ^= 1;
    let opened: unknown;
    try {
      opened = opener.open(changed);
    } catch (error) {
      assert(error instanceof HtxError && error.code === "unauthenticated");
      continue;
    }
    assert(["ahead", "malformed"].includes(opened as string), `byte ${at}`);
  }
  assertEquals(opener.open(sealed), HELLO, "none of these took its place");
});

Deno.test("a datagram of the other direction, or of the frames' keys, does not open", () => {
  const { opener } = pair();
  const keys = sessionKeys();
  const back = new DatagramSealer(crypto, datagramKeys(crypto, keys.server), 0);
  assertThrows(() => opener.open(back.seal(HELLO, 0)), HtxError);
  const frames = new DatagramSealer(crypto, sessionKeys().client, 0);
  assertThrows(() => opener.open(frames.seal(HELLO, 0)), HtxError);
});
