import { assertEquals, assertGreater } from "@std/assert";
import { decodeHex } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  x25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import {
  type CipherState,
  type HandshakeOptions,
  HandshakeState,
} from "../../src/core/noise/mod.ts";
import cacophony from "../vectors/noise/cacophony.json" with { type: "json" };
import hybrid from "../vectors/noise/hybrid.json" with { type: "json" };
import snow from "../vectors/noise/snow.json" with { type: "json" };
import { PROVIDERS, scripted } from "./_pair.ts";

interface Vector {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly init_static?: string;
  readonly init_ephemeral: string;
  readonly init_kem_seed?: string;
  readonly init_remote_static?: string;
  readonly resp_prologue: string;
  readonly resp_static: string;
  readonly resp_ephemeral?: string;
  readonly resp_kem_seed?: string;
  readonly handshake_hash?: string;
  readonly chaining_key?: string;
  readonly messages: readonly { payload: string; ciphertext: string }[];
}

/** Vectors by source, with the number of protocols that each has. */
const SOURCES: Record<string, readonly [readonly Vector[], number]> = {
  cacophony: [cacophony.vectors, 8],
  snow: [snow.vectors, 8],
  "gen_hybrid.py": [hybrid.vectors, 6],
};
const EMPTY = new Uint8Array(0);

for (const [source, [vectors]] of Object.entries(SOURCES)) {
  for (const crypto of PROVIDERS) {
    for (const vector of vectors) {
      Deno.test(`${source}: ${vector.protocol_name} with ${crypto.name}`, () =>
        run(vector, crypto));
    }
  }
}

Deno.test("the vectors cover every pattern and hash", () => {
  for (const [vectors, count] of Object.values(SOURCES)) {
    const names = new Set(vectors.map((vector) => vector.protocol_name));
    assertEquals(names.size, count);
  }
});

function run(vector: Vector, crypto: CryptoProvider): void {
  const a = side(vector, crypto, "initiator");
  const b = side(vector, crypto, "responder");
  assertEquals(a.protocolName, vector.protocol_name);
  const sent = vector.messages.map((message) => ({
    payload: decodeHex(message.payload),
    ciphertext: decodeHex(message.ciphertext),
  }));
  let at = 0;
  for (; !a.finished; at++) {
    const [from, to] = a.myTurn ? [a, b] : [b, a];
    const { payload, ciphertext } = sent[at]!;
    assertEquals(from.messageLength(payload.length), ciphertext.length);
    assertEquals(from.writeMessage(payload), ciphertext);
    assertEquals(to.readMessage(ciphertext), payload);
  }
  assertEquals(b.finished, true);
  assertEquals(a.handshakeHash, b.handshakeHash);
  assertEquals(a.chainingKey, b.chainingKey);
  if (vector.handshake_hash) {
    assertEquals(a.handshakeHash.toHex(), vector.handshake_hash);
  }
  if (vector.chaining_key) {
    assertEquals(a.chainingKey.toHex(), vector.chaining_key);
  }
  assertEquals(
    a.remoteStaticKey,
    crypto.x25519.publicKey(decodeHex(vector.resp_static)),
  );
  assertEquals(
    b.remoteStaticKey,
    vector.init_static &&
      crypto.x25519.publicKey(decodeHex(vector.init_static)),
  );
  const [ours, theirs] = [a.split(), b.split()];
  assertGreater(sent.length, at);
  for (; at < sent.length; at++) {
    const [from, to]: [CipherState, CipherState] =
      at % 2 === 0 || !vector.init_static
        ? [ours.send, theirs.receive]
        : [theirs.send, ours.receive];
    const { payload, ciphertext } = sent[at]!;
    assertEquals(from.encryptWithAd(EMPTY, payload), ciphertext);
    assertEquals(to.decryptWithAd(EMPTY, ciphertext), payload);
  }
}

function side(
  vector: Vector,
  crypto: CryptoProvider,
  role: HandshakeOptions["role"],
): HandshakeState {
  const prefix = role === "initiator" ? "init" : "resp";
  const own = vector[`${prefix}_static`];
  const kemSeed = vector[`${prefix}_kem_seed`];
  const remote = role === "initiator" ? vector.init_remote_static : undefined;
  const [, pattern, , , hash] = vector.protocol_name.split("_");
  return new HandshakeState({
    crypto: scripted(
      crypto,
      ...[vector[`${prefix}_ephemeral`] ?? []].flat().map(decodeHex),
      ...kemSeed ? [decodeHex(kemSeed)] : [],
    ),
    pattern: pattern!.replace("hfs", "") as HandshakeOptions["pattern"],
    hash: hash as HandshakeOptions["hash"],
    hybrid: pattern!.endsWith("hfs"),
    role,
    prologue: decodeHex(vector[`${prefix}_prologue`]),
    ...own ? { staticKeyPair: x25519KeyPair(crypto, decodeHex(own)) } : {},
    ...remote ? { remoteStaticKey: decodeHex(remote) } : {},
  });
}
