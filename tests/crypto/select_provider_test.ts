import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  CryptoError,
  type CryptoProvider,
  defaultProvider,
  failedSelfTests,
  nobleProvider,
  nodeProvider,
  type Primitives,
  selectProvider,
  type SelfTestName,
} from "../../src/core/crypto/mod.ts";

const bend = (bytes: Uint8Array<ArrayBuffer>) => {
  bytes[bytes.length - 1]! ^= 1;
  return bytes;
};
const node = nodeProvider;

const isOnCurve = (point: Uint8Array) => {
  try {
    node.p384.sharedSecret(new Uint8Array(48).fill(1), point);
    return true;
  } catch {
    return false;
  }
};

/** Providers that are node but for one wrong answer. */
const WRONG: [SelfTestName, Partial<CryptoProvider>][] = [
  ["random", { random: (length) => new Uint8Array(length) }],
  ["hash", { hash: (name, ...parts) => bend(node.hash(name, ...parts)) }],
  ["hash", { hash: (name, ...parts) => node.hash(name, ...parts.slice(0, 1)) }],
  ["hmac", { hmac: (name, key) => node.hmac(name, key) }],
  ["hkdf", {
    hkdf: (name, ikm, salt, info, length) =>
      node.hkdf(name, salt, ikm, info, length),
  }],
  ["hkdf", { hkdfExpand: (...args) => bend(node.hkdfExpand(...args)) }],
  ["chacha20poly1305", {
    chacha20poly1305: (key) => ({
      ...node.chacha20poly1305(key),
      open: (nonce, sealed) =>
        node.chacha20(key, nonce, 1, sealed.subarray(0, -16)), // no tag check
    }),
  }],
  ["chacha20poly1305", {
    chacha20poly1305: (key) => {
      const aead = node.chacha20poly1305(key);
      return { ...aead, open: (nonce, sealed) => aead.open(nonce, sealed) };
    },
  }],
  ["aesGcm", { aesGcm: (key) => node.aesGcm(bend(key.slice())) }],
  ["aesKeyWrap", {
    aesKeyWrap: {
      ...node.aesKeyWrap,
      unwrap: (key, wrapped) => {
        try {
          return node.aesKeyWrap.unwrap(key, wrapped);
        } catch {
          return wrapped.slice(8); // whether it was wrapped so or not
        }
      },
    },
  }],
  ["chacha20", {
    chacha20: (k, n, i, data) => node.chacha20(k, n, i + 1, data),
  }],
  ["aesCtr", { aesCtr: (key, iv, data) => bend(node.aesCtr(key, iv, data)) }],
  ["x25519", {
    x25519: {
      ...node.x25519,
      sharedSecret: () => new Uint8Array(32).fill(1), // for any key, even a weak one
    },
  }],
  ["p256", {
    p256: {
      ...node.p256,
      sharedSecret: (key, peer) => bend(node.p256.sharedSecret(key, peer)),
    },
  }],
  ["p256", {
    p256: {
      ...node.p256,
      generateKeyPair: () => ({
        ...node.p256.generateKeyPair(),
        privateKey: new Uint8Array(32).fill(1),
      }),
    },
  }],
  ["p384", {
    p384: {
      ...node.p384,
      sharedSecret: (key, peer) =>
        node.p384.sharedSecret( // takes any point for a good one
          key,
          isOnCurve(peer) ? peer : node.p384.publicKey(key),
        ),
    },
  }],
  ["ed25519", { ed25519: { ...node.ed25519, verify: () => true } }],
  ["mlKem768", {
    mlKem768: {
      ...node.mlKem768,
      decapsulate: () => new Uint8Array(32),
    },
  }],
  ["mlKem768", {
    mlKem768: {
      ...node.mlKem768,
      encapsulate() {
        throw new Error("Not built");
      },
    },
  }],
];

Deno.test("failedSelfTests() passes node and noble", () => {
  assertEquals(failedSelfTests(nodeProvider), []);
  assertEquals(failedSelfTests(nobleProvider), []);
});

Deno.test("failedSelfTests() names the one primitive that is wrong", () => {
  for (const [name, wrong] of WRONG) {
    assertEquals(failedSelfTests({ ...node, ...wrong }), [name]);
  }
});

Deno.test("selectProvider() never chooses a wrong provider, however fast", () => {
  for (const [name, wrong] of WRONG) {
    if (wrong.random || wrong.hkdfExpand) continue; // not the candidate's to give
    const candidate: Primitives = { ...node, ...wrong, name: "wrong" };
    const { provider, trials } = selectProvider([candidate], {
      measureMs: (c) => c.name === "wrong" ? 0 : 1,
    });
    assertStrictEquals(provider, nodeProvider);
    assertEquals(trials.map((t) => [t.provider.name, t.roundMs]), [
      ["wrong", undefined],
      ["node", 1],
    ]);
    assert(trials[0]!.failed.includes(name));
  }
});

Deno.test("selectProvider() chooses the fastest that passes", () => {
  const candidates = ["slow", "fast", "even"].map((name) => ({
    ...node,
    name,
  }));
  const ms: Record<string, number> = { slow: 3, fast: 1, even: 2, node: 2 };
  const { provider, trials } = selectProvider(candidates, {
    measureMs: (c) => ms[c.name]!,
  });
  assertEquals(provider.name, "fast");
  assertEquals(trials.map((t) => t.roundMs), [3, 1, 2, 2]);
});

Deno.test("selectProvider() measures by itself and finds node faster than noble", () => {
  const { provider, trials } = selectProvider([nobleProvider]);
  assertEquals(provider.name, "node");
  assertEquals(trials.length, 2);
  for (const { roundMs } of trials) assert(roundMs! > 0);
});

Deno.test("selectProvider() gives a candidate the checks of the port", () => {
  const careless: Primitives = {
    ...node,
    name: "careless",
    x25519: {
      ...node.x25519,
      sharedSecret: (key, peer) =>
        peer.some((byte) => byte !== 0)
          ? node.x25519.sharedSecret(key, peer)
          : new Uint8Array(32),
    },
  };
  const { provider } = selectProvider([careless], {
    measureMs: (c) => c.name === "careless" ? 1 : 2,
  });
  assertEquals(provider.name, "careless");
  const zero = new Uint8Array(32);
  assertEquals(careless.x25519.sharedSecret(zero, zero), zero);
  assertThrows(() => provider.x25519.sharedSecret(zero, zero), CryptoError);
});

Deno.test("defaultProvider() is node", () => {
  assertStrictEquals(defaultProvider(), nodeProvider);
});
