import { assertEquals, assertThrows } from "@std/assert";
import {
  generateX25519,
  nodeProvider as crypto,
} from "../../../src/core/crypto/mod.ts";
import { HandshakeState } from "../../../src/core/noise/mod.ts";
import { MixnetError } from "../../../src/mixnet/error.ts";
import {
  LinkCipher,
  REKEY_FRAMES,
  splitLinkKeys,
} from "../../../src/mixnet/link/link_cipher.ts";

const BODY = Uint8Array.of(1, 2, 3);
const EMPTY = new Uint8Array(0);

/** Both ends of a finished handshake. */
function handshakes(): [HandshakeState, HandshakeState] {
  const suite = {
    crypto,
    pattern: "XK",
    hash: "SHA256",
    hybrid: true,
  } as const;
  const server = generateX25519(crypto);
  const initiator = new HandshakeState({
    ...suite,
    role: "initiator",
    staticKeyPair: generateX25519(crypto),
    remoteStaticKey: server.publicKey,
  });
  const responder = new HandshakeState({
    ...suite,
    role: "responder",
    staticKeyPair: server,
  });
  responder.readMessage(initiator.writeMessage());
  initiator.readMessage(responder.writeMessage());
  responder.readMessage(initiator.writeMessage());
  return [initiator, responder];
}

function sealed(cipher: LinkCipher): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(BODY.length + 16);
  frame.set(BODY);
  cipher.seal(frame, BODY.length);
  return frame;
}

Deno.test("LinkCipher seals as Noise's CipherState does, rekeying after 2^16 frames", () => {
  const [initiator, responder] = handshakes();
  const keys = splitLinkKeys(crypto, initiator.chainingKey);
  using ours = new LinkCipher(crypto, keys.initiator);
  using opener = new LinkCipher(crypto, keys.initiator.slice());
  using theirs = responder.split().receive;
  using back = initiator.split().receive;
  using answers = new LinkCipher(crypto, keys.responder);
  for (let i = 0; i < REKEY_FRAMES + 2; i++) {
    const frame = sealed(ours);
    if (i === REKEY_FRAMES) theirs.rekey();
    const near = i < 2 || i > REKEY_FRAMES - 2;
    if (near) {
      theirs.setNonce(BigInt(i));
      assertEquals(theirs.decryptWithAd(EMPTY, frame), BODY);
    }
    const body = new Uint8Array(BODY.length);
    opener.open(frame, body);
    if (near) assertEquals(body, BODY);
  }
  assertEquals(back.decryptWithAd(EMPTY, sealed(answers)), BODY);
});

Deno.test("LinkCipher is of no use after dispose", () => {
  const cipher = new LinkCipher(crypto, crypto.random(32));
  cipher[Symbol.dispose]();
  const error = assertThrows(() => sealed(cipher), MixnetError);
  assertEquals(error.code, "closed");
});
