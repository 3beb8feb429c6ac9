import { concat } from "../../src/core/bytes/mod.ts";
import { exchange, initiator, responder, suiteName, SUITES } from "./_pair.ts";
import {
  assertRefused,
  flipped,
  honestMessages,
  isKemByte,
} from "./_tampering.ts";

const BITS = [0, 1, 2, 3, 4, 5, 6, 7];

for (const suite of SUITES) {
  const name = suiteName(suite);
  const messages = honestMessages(suite);

  for (const [index, message] of messages.entries()) {
    const kem = suite.hybrid && index < 2;

    Deno.test(`${name}: no bit of message ${index}${kem ? " outside ML-KEM" : ""} can change`, () => {
      for (let at = 0; at < message.length; at++) {
        if (isKemByte(suite, index, at)) continue;
        for (const bit of BITS) {
          assertRefused(suite, messages, index, flipped(message, at, bit));
        }
      }
    });

    if (kem) {
      Deno.test(`${name}: no byte of ML-KEM in message ${index} can change by one bit`, () => {
        for (let at = 0; at < message.length; at++) {
          if (!isKemByte(suite, index, at)) continue;
          const changed = flipped(message, at, at % 8);
          assertRefused(suite, messages, index, changed);
        }
      });
    }

    Deno.test(`${name}: message ${index} cannot be cut short`, () => {
      for (let length = 0; length < message.length; length++) {
        assertRefused(suite, messages, index, message.slice(0, length));
      }
    });

    Deno.test(`${name}: message ${index} takes no trailing bytes`, () => {
      for (const extra of [1, 16, 65_535 - message.length, 65_536]) {
        const longer = concat(message, new Uint8Array(extra));
        assertRefused(suite, messages, index, longer);
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
