import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import {
  concat,
  decodeHex,
  encodeHex,
  utf8,
} from "../../src/core/bytes/mod.ts";
import { CryptoError, nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  deriveSessionKeys,
  nextTrafficKeys,
  type TrafficKeys,
  writeNonce,
} from "../../src/htx/keys.ts";
import vectors from "../vectors/betanet/betanet-1.1.json" with { type: "json" };

const EMPTY = new Uint8Array(0);
const key = decodeHex(vectors.keys["K0c(first32)"]);
const k0c: TrafficKeys = {
  key,
  nonceSalt: decodeHex(vectors.keys.NSc.salt),
  secret: key.slice(),
  transcriptHash: decodeHex(vectors.rekey.transcriptHash),
};

Deno.test("writeNonce() gives the vectors' nonces", () => {
  for (const [counter, hex] of Object.entries(vectors.nonce.byCounter)) {
    const nonce = new Uint8Array(12);
    writeNonce(decodeHex(vectors.nonce.NS), Number(counter), nonce);
    assertEquals(encodeHex(nonce), hex);
  }
});

Deno.test("nextTrafficKeys() gives the vector's next key and a new salt", () => {
  const want = vectors
    .rekey['K_next64 = HKDF(IKM=K0c,salt="next",info=th,64)'];
  const next = nextTrafficKeys(nodeProvider, k0c);
  assertEquals(encodeHex(next.key) + encodeHex(next.secret), want);
  const salt = nodeProvider.hkdf("sha256", next.key, utf8("ns"), EMPTY, 12);
  assertEquals(next.nonceSalt, salt);
  assertNotEquals(next.nonceSalt, k0c.nonceSalt);
});

Deno.test("deriveSessionKeys() splits K0 of chaining key, exporter and hash", () => {
  const chainingKey = new Uint8Array(32).fill(7);
  const handshakeHash = new Uint8Array(32).fill(8);
  const exporter = new Uint8Array(64).fill(9);
  const label = utf8("htx inner v1");
  for (const ekm of [EMPTY, exporter]) {
    const keys = deriveSessionKeys(nodeProvider, {
      chainingKey,
      handshakeHash,
      ...(ekm.length > 0 && { exporter: ekm }),
    });
    const ikm = concat(chainingKey, ekm);
    const k0 = nodeProvider.hkdf("sha256", ikm, handshakeHash, label, 64);
    assertEquals(keys.client.key, k0.slice(0, 32));
    assertEquals(keys.server.key, k0.slice(32));
    assertNotEquals(keys.client.nonceSalt, keys.server.nonceSalt);
  }
});

Deno.test("after nextTrafficKeys() the old key opens nothing", () => {
  const nonce = new Uint8Array(12);
  let keys = k0c;
  for (let i = 0; i < 10; i++) {
    const next = nextTrafficKeys(nodeProvider, keys);
    const sealed = nodeProvider.chacha20poly1305(next.key)
      .seal(nonce, utf8("secret"));
    assert(encodeHex(next.key) !== encodeHex(keys.key));
    assertThrows(
      () => nodeProvider.chacha20poly1305(keys.key).open(nonce, sealed),
      CryptoError,
    );
    keys = next;
  }
});
