import { assert, assertEquals, assertThrows } from "@std/assert";
import { generateX25519, nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type HandshakeOptions,
  HandshakeState,
  NoiseError,
} from "../../src/core/noise/mod.ts";
import { HASHES, RESPONDER_KEY } from "./_pair.ts";

const EMPTY = new Uint8Array(0);

for (const hash of HASHES) {
  Deno.test(`N ${hash}: one message of 48 bytes and its payload tells nothing of the sender`, () => {
    const [a, b] = [sender({ hash }), receiver({ hash })];
    assertEquals([a.messageLength(10), b.messageLength(10)], [58, 58]);
    const message = a.writeMessage(new Uint8Array(10).fill(7));
    assertEquals(message.length, 58);
    assertEquals(b.readMessage(message), new Uint8Array(10).fill(7));
    assert(a.finished && b.finished);
    assertEquals(a.protocolName, `Noise_N_25519_ChaChaPoly_${hash}`);
    assertEquals(a.handshakeHash, b.handshakeHash);
    assertEquals(b.remoteStaticKey, undefined);
  });

  Deno.test(`N ${hash}: every truncation and every changed byte is rejected`, () => {
    const message = sender({ hash }).writeMessage(Uint8Array.of(1, 2, 3));
    for (let at = 0; at < message.length; at++) {
      assertRejected(message.slice(0, at), hash);
      assertRejected(message.with(at, message[at]! ^ 1), hash);
    }
    assertRejected(new Uint8Array([...message, 0]), hash);
  });
}

Deno.test("N: nobody but the holder of the key, with the same prologue, can read", () => {
  const message = sender({ prologue: Uint8Array.of(1) }).writeMessage(EMPTY);
  const others = [
    receiver({ staticKeyPair: generateX25519(nodeProvider) }),
    receiver({ prologue: Uint8Array.of(2) }),
  ];
  for (const other of others) {
    const error = assertThrows(() => other.readMessage(message), NoiseError);
    assertEquals(error.code, "rejected");
  }
});

Deno.test("N: after the message the initiator can go on sending, and the responder cannot answer", () => {
  const [a, b] = [sender(), receiver()];
  b.readMessage(a.writeMessage());
  const [ours, theirs] = [a.split(), b.split()];
  for (let i = 0; i < 3; i++) {
    const sealed = ours.send.encryptWithAd(EMPTY, Uint8Array.of(i));
    assertEquals(
      theirs.receive.decryptWithAd(EMPTY, sealed),
      Uint8Array.of(i),
    );
  }
  for (
    const use of [
      () => theirs.send.encryptWithAd(EMPTY, EMPTY),
      () => ours.receive.decryptWithAd(EMPTY, new Uint8Array(16)),
    ]
  ) assertEquals(assertThrows(use, NoiseError).code, "closed");
});

Deno.test("N: wants exactly the keys it uses, and no hybrid form", () => {
  const staticKeyPair = generateX25519(nodeProvider);
  const wrong = [
    () => sender({ staticKeyPair }),
    () => make({ role: "initiator" }),
    () => make({ role: "responder" }),
    () => receiver({ remoteStaticKey: staticKeyPair.publicKey }),
    () => sender({ hybrid: true }),
  ];
  for (const start of wrong) assertThrows(start, TypeError);
  assertThrows(
    () => sender({ remoteStaticKey: new Uint8Array(31) }),
    RangeError,
  );
});

function assertRejected(
  message: Uint8Array,
  hash: HandshakeOptions["hash"],
): void {
  const error = assertThrows(
    () => receiver({ hash }).readMessage(message),
    NoiseError,
  );
  assertEquals(error.code, "rejected");
}

function sender(changes: Partial<HandshakeOptions> = {}): HandshakeState {
  return make({
    role: "initiator",
    remoteStaticKey: RESPONDER_KEY.publicKey,
    ...changes,
  });
}

function receiver(changes: Partial<HandshakeOptions> = {}): HandshakeState {
  return make({ role: "responder", staticKeyPair: RESPONDER_KEY, ...changes });
}

function make(
  options: Partial<HandshakeOptions> & Pick<HandshakeOptions, "role">,
): HandshakeState {
  return new HandshakeState({
    crypto: nodeProvider,
    pattern: "N",
    hash: "SHA256",
    hybrid: false,
    ...options,
  });
}
