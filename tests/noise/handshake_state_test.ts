import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import type { Bytes } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  nodeProvider,
  Secret,
} from "../../src/core/crypto/mod.ts";
import {
  type HandshakeOptions,
  HandshakeState,
  MAX_MESSAGE_LENGTH,
  NoiseError,
} from "../../src/core/noise/mod.ts";
import {
  exchange,
  initiator,
  INITIATOR_KEY,
  PROVIDERS,
  responder,
  RESPONDER_KEY,
  type Suite,
  suiteName,
  SUITES,
} from "./_pair.ts";

const XK: Suite = { pattern: "XK", hash: "SHA256", hybrid: false };
const XK_HFS: Suite = { ...XK, hybrid: true };
const XX: Suite = { ...XK, pattern: "XX" };
const XX_HFS: Suite = { ...XX, hybrid: true };
const EMPTY = new Uint8Array(0);

/** Points of low order, whose shared secret is zero (RFC 7748 §6.1). */
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map((hex) => Uint8Array.fromHex(hex));

for (const suite of SUITES) {
  Deno.test(`${suiteName(suite)}: both sides agree, and each direction has its key`, () => {
    const [a, b] = [initiator(suite), responder(suite)];
    exchange(a, b);
    assertEquals(a.handshakeHash, b.handshakeHash);
    assertEquals(a.chainingKey, b.chainingKey);
    assertNotEquals(a.chainingKey, a.handshakeHash);
    assertEquals(a.remoteStaticKey, RESPONDER_KEY.publicKey);
    assertEquals(b.remoteStaticKey, INITIATOR_KEY.publicKey);
    const [ours, theirs] = [a.split(), b.split()];
    const there = ours.send.encryptWithAd(EMPTY, EMPTY);
    const back = theirs.send.encryptWithAd(EMPTY, EMPTY);
    assertNotEquals(there, back);
    assertEquals(theirs.receive.decryptWithAd(EMPTY, there), EMPTY);
    assertEquals(ours.receive.decryptWithAd(EMPTY, back), EMPTY);
  });

  Deno.test(`${suiteName(suite)}: two sessions with equal keys share no secret`, () => {
    const [a, b] = [initiator(suite), initiator(suite)];
    exchange(a, responder(suite));
    exchange(b, responder(suite));
    assertNotEquals(a.handshakeHash, b.handshakeHash);
    assertNotEquals(a.chainingKey, b.chainingKey);
  });

  Deno.test(`${suiteName(suite)}: every message carries from 0 bytes to its limit`, () => {
    const count = suite.pattern === "IK" ? 2 : 3;
    for (let index = 0; index < count; index++) {
      for (const length of [0, 1, 15, 16, 17, 255, 256, 4_096, undefined]) {
        const [a, b] = [initiator(suite), responder(suite)];
        exchange(a, b, index);
        const [from, to] = a.myTurn ? [a, b] : [b, a];
        const max = MAX_MESSAGE_LENGTH - from.messageLength();
        assertThrows(
          () => from.writeMessage(new Uint8Array(max + 1)),
          RangeError,
        );
        const payload = nodeProvider.random(length ?? max % 0x10000).slice();
        const expected = from.messageLength(payload.length);
        assertEquals(to.messageLength(payload.length), expected);
        const message = from.writeMessage(payload);
        assertEquals(message.length, expected);
        assert(length !== undefined || expected === MAX_MESSAGE_LENGTH);
        assertEquals(to.readMessage(message).toHex(), payload.toHex());
        exchange(a, b);
        assertEquals(a.handshakeHash, b.handshakeHash);
      }
    }
  });
}

Deno.test("providers speak with each other", () => {
  for (const one of PROVIDERS) {
    for (const other of PROVIDERS) {
      for (const suite of [XK, XK_HFS]) {
        const a = initiator(suite, { crypto: one });
        const b = responder(suite, { crypto: other });
        exchange(a, b);
        assertEquals(a.chainingKey, b.chainingKey);
      }
    }
  }
});

const PLAIN = "Noise_XK_25519_ChaChaPoly_SHA256";
Deno.test("protocolName tells the classic from the hybrid form", () => {
  assertEquals(initiator(XK).protocolName, PLAIN);
  assertEquals(
    initiator(XK_HFS).protocolName,
    "Noise_XKhfs_25519+MLKEM768_ChaChaPoly_SHA256",
  );
});

const MISMATCHES: Record<string, Partial<HandshakeOptions>> = {
  "another prologue": { prologue: Uint8Array.of(1) },
  "another static key of the responder": {
    staticKeyPair: generateX25519(nodeProvider),
  },
  "another pattern": { pattern: "IK" },
  "another hash": { hash: "BLAKE2s" },
  "a classic responder": { hybrid: false },
};
for (const [what, changes] of Object.entries(MISMATCHES)) {
  Deno.test(`readMessage() refuses the first message for ${what}`, () => {
    const message = initiator(XK_HFS).writeMessage();
    assertRejected(() => responder(XK_HFS, changes).readMessage(message));
  });
}

Deno.test("readMessage() refuses the first hybrid message of XX for a classic responder, or at the next step", () => {
  const [a, b] = [initiator(XX_HFS), responder(XX)];
  assertRejected(() => exchange(a, b));
});

Deno.test("writeMessage() and readMessage() out of turn throw TypeError and change nothing", () => {
  const [a, b] = [initiator(XK), responder(XK)];
  assertThrows(() => a.readMessage(new Uint8Array(48)), TypeError);
  assertThrows(() => b.writeMessage(), TypeError);
  const first = a.writeMessage();
  assertThrows(() => a.writeMessage(), TypeError);
  b.readMessage(first);
  assertThrows(() => b.readMessage(first), TypeError);
  exchange(a, b);
  assertEquals(a.chainingKey, b.chainingKey);
  assertThrows(() => a.writeMessage(), TypeError);
  assertThrows(() => b.readMessage(first), TypeError);
  assertThrows(() => a.messageLength(), RangeError);
});

Deno.test("myTurn and finished follow the messages", () => {
  const [a, b] = [initiator(XK), responder(XK)];
  for (let index = 0; index < 3; index++) {
    assertEquals([a.finished, b.finished], [false, false]);
    assertEquals(
      [a.myTurn, b.myTurn],
      index % 2 === 0 ? [true, false] : [false, true],
    );
    exchange(a, b, 1);
  }
  assertEquals([a.finished, b.finished], [true, true]);
  assertEquals([a.myTurn, b.myTurn], [false, false]);
});

Deno.test("a rejected message closes the handshake for every later use", () => {
  const [a, b] = [initiator(XK), responder(XK)];
  const first = a.writeMessage();
  assertRejected(() => b.readMessage(first.slice(1)));
  assertClosed(() => b.readMessage(first));
  assertClosed(() => b.writeMessage());
  assertClosed(() => b.handshakeHash);
  assertClosed(() => b.chainingKey);
  assertClosed(() => b.split());
});

Deno.test("dispose closes the handshake, finished or not", () => {
  const [a, b] = [initiator(XK), responder(XK)];
  exchange(a, b);
  a[Symbol.dispose]();
  assertClosed(() => a.chainingKey);
  assertClosed(() => a.split());
  const early = initiator(XK);
  early[Symbol.dispose]();
  assertClosed(() => early.writeMessage());
});

Deno.test("readMessage() refuses ephemeral keys of low order", () => {
  for (const point of LOW_ORDER) {
    const message = new Uint8Array(48);
    message.set(point);
    assertRejected(() => responder(XK).readMessage(message));
  }
});

Deno.test("writeMessage() refuses to use an ephemeral key of low order", () => {
  for (const point of LOW_ORDER) {
    const b = responder(XX);
    b.readMessage(point);
    assertRejected(() => b.writeMessage());
    assertClosed(() => b.writeMessage());
  }
});

Deno.test("readMessage() refuses static keys of low order", () => {
  for (const publicKey of LOW_ORDER) {
    const staticKeyPair = { ...INITIATOR_KEY, publicKey: publicKey.slice() };
    const [a, b] = [initiator(XX, { staticKeyPair }), responder(XX)];
    assertRejected(() => exchange(a, b));
    assertEquals([a.finished, b.finished], [true, false]);
  }
});

Deno.test("writeMessage() refuses an ML-KEM key with a coefficient over the modulus", () => {
  const first = initiator(XX_HFS).writeMessage();
  first.fill(0xff, 32, 35);
  const b = responder(XX_HFS);
  b.readMessage(first);
  assertRejected(() => b.writeMessage());
});

Deno.test("readMessage() refuses an ML-KEM ciphertext that does not belong to the secret", () => {
  const lying: CryptoProvider = {
    ...nodeProvider,
    mlKem768: {
      ...nodeProvider.mlKem768,
      encapsulate(key, seed) {
        const honest = nodeProvider.mlKem768.encapsulate(key, seed);
        honest.ciphertext[0]! ^= 1;
        return honest;
      },
    },
  };
  const [a, b] = [initiator(XK_HFS), responder(XK_HFS, { crypto: lying })];
  b.readMessage(a.writeMessage());
  assertRejected(() => a.readMessage(b.writeMessage()));
});

Deno.test("every rejection reads the same, whatever was wrong", () => {
  const first = initiator(XK).writeMessage();
  const flipped = first.slice();
  flipped[40]! ^= 1;
  const lowOrder = new Uint8Array(48);
  const errors = [first.slice(0, 20), first.slice(0, 40), flipped, lowOrder]
    .map((
      message,
    ) => assertThrows(() => responder(XK).readMessage(message), NoiseError));
  assertEquals(new Set(errors.map(String)).size, 1);
  assertEquals(new Set(errors.map((error) => error.code)).size, 1);
});

Deno.test("ephemeral keys, seeds, shared secrets and handshake keys are wiped, the caller's key is not", () => {
  for (const fail of [false, true]) {
    const seen: Bytes[] = [];
    const keys = generateX25519(nodeProvider);
    const kept = keys.privateKey.expose().slice();
    const a = initiator(XK_HFS, {
      crypto: watching(seen),
      staticKeyPair: keys,
    });
    const b = responder(XK_HFS, { crypto: watching(seen) });
    if (fail) {
      const first = a.writeMessage();
      b.readMessage(first);
      const second = b.writeMessage();
      assertRejected(() => a.readMessage(second.with(0, second[0]! ^ 1)));
      b[Symbol.dispose]();
    } else {
      exchange(a, b);
      a[Symbol.dispose]();
      for (const cipher of Object.values(b.split())) cipher[Symbol.dispose]();
    }
    assert(seen.length > 20, `Saw ${seen.length} secrets`);
    assertEquals(seen.filter((bytes) => bytes.some((byte) => byte !== 0)), []);
    assertEquals(keys.privateKey.expose(), kept);
  }
});

Deno.test("split() works once, and then the chaining key is gone", () => {
  const [a, b] = [initiator(XK), responder(XK)];
  assertThrows(() => a.split(), TypeError);
  assertThrows(() => a.chainingKey, TypeError);
  assertThrows(() => a.handshakeHash, TypeError);
  exchange(a, b);
  const hash = a.handshakeHash;
  a.split();
  assertThrows(() => a.split(), TypeError);
  assertThrows(() => a.chainingKey, TypeError);
  assertEquals(a.handshakeHash, hash);
});

Deno.test("readMessage() keeps no view of the message, so a buffer can be used again", () => {
  for (const suite of SUITES) {
    const [a, b] = [initiator(suite), responder(suite)];
    while (!b.finished) {
      const [from, to] = a.myTurn ? [a, b] : [b, a];
      const message = from.writeMessage();
      to.readMessage(message);
      message.fill(0xaa);
      if (a.finished) break;
    }
    assertEquals(a.chainingKey, b.chainingKey);
  }
});

Deno.test("readMessage() takes 65535 bytes and refuses one more, even in clear", () => {
  const first = new Uint8Array(65_536);
  first.set(initiator(XX).writeMessage());
  assertEquals(responder(XX).readMessage(first.subarray(1)).length, 65_503);
  assertRejected(() => responder(XX).readMessage(first));
});

Deno.test("results are copies that do not reach into the state", () => {
  const [a, b] = [initiator(XK), responder(XK)];
  exchange(a, b);
  a.handshakeHash.fill(0);
  a.chainingKey.fill(0);
  a.remoteStaticKey!.fill(0);
  assertEquals(a.handshakeHash, b.handshakeHash);
  assertEquals(a.chainingKey, b.chainingKey);
  assertEquals(a.remoteStaticKey, RESPONDER_KEY.publicKey);
});

Deno.test("new HandshakeState() wants remoteStaticKey exactly where the pattern takes it", () => {
  const remoteStaticKey = RESPONDER_KEY.publicKey;
  const base = {
    crypto: nodeProvider,
    ...XK,
    staticKeyPair: INITIATOR_KEY,
  } as const;
  assertThrows(
    () => new HandshakeState({ ...base, role: "initiator" }),
    TypeError,
  );
  assertThrows(() => responder(XK, { remoteStaticKey }), TypeError);
  assertThrows(() => initiator(XX, { remoteStaticKey }), TypeError);
});

Deno.test("new HandshakeState() wants keys of 32 bytes", () => {
  const short = new Uint8Array(31);
  const { privateKey, publicKey } = INITIATOR_KEY;
  assertThrows(() => initiator(XK, { remoteStaticKey: short }), RangeError);
  for (
    const staticKeyPair of [{ privateKey: new Secret(short), publicKey }, {
      privateKey,
      publicKey: short,
    }]
  ) {
    assertThrows(() => initiator(XK, { staticKeyPair }), RangeError);
  }
});

/** A provider that notes every secret it hands out. */
function watching(seen: Bytes[]): CryptoProvider {
  const note = (bytes: Bytes) => {
    seen.push(bytes);
    return bytes;
  };
  const { x25519, mlKem768 } = nodeProvider;
  return {
    ...nodeProvider,
    random: (length) => note(nodeProvider.random(length)),
    hkdf: (name, ikm, salt, info, length) =>
      note(nodeProvider.hkdf(name, ikm, note(salt as Bytes), info, length)),
    chacha20poly1305: (key) =>
      nodeProvider.chacha20poly1305(note(key as Bytes)),
    x25519: {
      ...x25519,
      sharedSecret: (key, peer) => note(x25519.sharedSecret(key, peer)),
    },
    mlKem768: {
      generateKeyPair(seed) {
        const pair = mlKem768.generateKeyPair(seed);
        note(pair.privateKey);
        return pair;
      },
      encapsulate(key, seed) {
        const result = mlKem768.encapsulate(key, seed);
        note(result.sharedSecret);
        return result;
      },
      decapsulate: (key, ciphertext) =>
        note(mlKem768.decapsulate(key, ciphertext)),
    },
  };
}

function assertRejected(run: () => unknown): void {
  assertEquals(assertThrows(run, NoiseError).code, "rejected");
}

function assertClosed(run: () => unknown): void {
  assertEquals(assertThrows(run, NoiseError).code, "closed");
}
