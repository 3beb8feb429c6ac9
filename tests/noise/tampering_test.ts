import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { type HandshakeState, NoiseError } from "../../src/core/noise/mod.ts";
import {
  exchange,
  initiator,
  memoized,
  PATTERNS,
  responder,
  scripted,
  type Suite,
  suiteName,
} from "./_pair.ts";

const CRYPTO = memoized(nodeProvider);
const INITIATOR_RANDOM = [nodeProvider.random(32), nodeProvider.random(64)];
const RESPONDER_RANDOM = [nodeProvider.random(32), nodeProvider.random(32)];

const SUITES: Suite[] = PATTERNS.flatMap((pattern) =>
  [false, true].map((hybrid) => ({ pattern, hash: "SHA256", hybrid }) as const)
);

for (const suite of SUITES) {
  const name = suiteName(suite);
  const messages = exchange(...pair(suite));

  for (const [index, message] of messages.entries()) {
    Deno.test(`${name}: no bit of message ${index} can change`, () => {
      for (let at = 0; at < message.length; at++) {
        for (const bit of suite.hybrid ? [at % 8] : [0, 1, 2, 3, 4, 5, 6, 7]) {
          const changed = message.slice();
          changed[at]! ^= 1 << bit;
          assertRefused(suite, messages, index, changed);
        }
      }
    });

    Deno.test(`${name}: message ${index} cannot be cut short`, () => {
      for (let length = 0; length < message.length; length++) {
        assertRefused(suite, messages, index, message.slice(0, length));
      }
    });

    Deno.test(`${name}: message ${index} takes no trailing bytes`, () => {
      for (const extra of [1, 16, 65_535 - message.length, 65_536]) {
        assertRefused(
          suite,
          messages,
          index,
          concat(message, new Uint8Array(extra)),
        );
      }
    });
  }

  Deno.test(`${name}: an earlier message in place of a later one is refused`, () => {
    for (let index = 1; index < messages.length; index++) {
      for (const earlier of messages.slice(0, index)) {
        assertRefused(suite, messages, index, earlier);
      }
    }
  });

  Deno.test(`${name}: a message of another session is refused`, () => {
    const other = exchange(initiator(suite), responder(suite));
    for (let index = 1; index < messages.length; index++) {
      assertRefused(suite, messages, index, other[index]!);
    }
  });
}

function pair(suite: Suite): [HandshakeState, HandshakeState] {
  return [
    initiator(suite, { crypto: scripted(CRYPTO, ...INITIATOR_RANDOM) }),
    responder(suite, { crypto: scripted(CRYPTO, ...RESPONDER_RANDOM) }),
  ];
}

/** Puts `message` in place of message `index`: nobody finishes with a wrong transcript, and the only error is `rejected`. */
function assertRefused(
  suite: Suite,
  honest: readonly Bytes[],
  index: number,
  message: Bytes,
): void {
  const [a, b] = pair(suite);
  const [from, to] = index % 2 === 0 ? [a, b] : [b, a];
  replay(to, honest.slice(0, index));
  const error = assertThrows(() => {
    to.readMessage(message);
    replay(from, honest.slice(0, index + 1));
    exchange(a, b);
  }, NoiseError);
  assertEquals(error.code, "rejected");
  assertEquals(error.message, "Noise message rejected");
  assert(!to.finished, "The receiver of the changed message finished");
  assertEquals([a, b].filter(isClosed).length, 1);
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
