import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Bytes } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import { type HandshakeState, NoiseError } from "../../src/core/noise/mod.ts";
import {
  exchange,
  initiator,
  memoized,
  responder,
  scripted,
  type Suite,
} from "./_pair.ts";

const CRYPTO = memoized(nodeProvider);
const INITIATOR_RANDOM = [nodeProvider.random(32), nodeProvider.random(64)];
const RESPONDER_RANDOM = [nodeProvider.random(32), nodeProvider.random(32)];
/** Lengths of e1 in message 0 and ekem1 in message 1; both begin behind e. */
const KEM_LENGTHS = [1184, 1088];

/** Encapsulates to the honest key whatever key it is given. */
const IGNORANT: CryptoProvider = {
  ...CRYPTO,
  mlKem768: {
    ...CRYPTO.mlKem768,
    encapsulate(_key, seed) {
      const honest = CRYPTO.mlKem768.generateKeyPair(INITIATOR_RANDOM[1]);
      return CRYPTO.mlKem768.encapsulate(honest.publicKey, seed);
    },
  },
};

/** The messages of one handshake of `suite`, the same at each call. */
export function honestMessages(suite: Suite): Bytes[] {
  return exchange(side(suite, 0), side(suite, 1));
}

/** Whether byte `at` of message `index` belongs to e1 or ekem1; a tag behind it does not count. */
export function isKemByte(suite: Suite, index: number, at: number): boolean {
  const length = KEM_LENGTHS[index] ?? 0;
  return suite.hybrid && at >= 32 && at < 32 + length;
}

/** `message` with bit `bit` of byte `at` changed. */
export function flipped(message: Bytes, at: number, bit: number): Bytes {
  const changed = message.slice();
  changed[at]! ^= 1 << bit;
  return changed;
}

/**
 * Puts `message` in place of message `index`: nobody finishes with a wrong transcript, and the only error is `rejected`.
 *
 * @param kem `"ignorant"`: encapsulation gives what the honest key would have got, so that only Noise can notice.
 */
export function assertRefused(
  suite: Suite,
  honest: readonly Bytes[],
  index: number,
  message: Bytes,
  kem: "real" | "ignorant" = "real",
): void {
  const to = side(suite, index + 1, kem);
  replay(to, honest.slice(0, index));
  const error = assertThrows(() => {
    to.readMessage(message);
    const from = side(suite, index, kem);
    replay(from, honest.slice(0, index + 1));
    finish(from, to);
  }, NoiseError);
  assertEquals(error.code, "rejected");
  assertEquals(error.message, "Noise message rejected");
  assert(!to.finished, "The receiver of the changed message finished");
}

/** Lets the two sides go on; the one that refuses is closed, the other is not. */
function finish(from: HandshakeState, to: HandshakeState): void {
  try {
    exchange(...from.myTurn ? [from, to] as const : [to, from] as const);
  } catch (error) {
    assertEquals([from, to].filter(isClosed).length, 1);
    throw error;
  }
}

/** The side that sends message `index`, with the same randomness each time. */
function side(
  suite: Suite,
  index: number,
  kem: "real" | "ignorant" = "real",
): HandshakeState {
  if (index % 2 === 0) {
    return initiator(suite, { crypto: scripted(CRYPTO, ...INITIATOR_RANDOM) });
  }
  const crypto = kem === "real" ? CRYPTO : IGNORANT;
  return responder(suite, { crypto: scripted(crypto, ...RESPONDER_RANDOM) });
}

/** Brings one side to where `honest` leaves it, without the other. */
function replay(state: HandshakeState, honest: readonly Bytes[]): void {
  for (const [i, message] of honest.entries()) {
    if (state.myTurn) state.writeMessage(Uint8Array.of(i));
    else state.readMessage(message);
  }
}

function isClosed(state: HandshakeState): boolean {
  try {
    return state.handshakeHash.length === 0;
  } catch (error) {
    return error instanceof NoiseError && error.code === "closed";
  }
}
