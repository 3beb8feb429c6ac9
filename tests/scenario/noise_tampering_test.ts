import { PATTERNS, suiteName } from "../noise/_pair.ts";
import {
  assertRefused,
  flipped,
  honestMessages,
  isKemByte,
} from "../noise/_tampering.ts";

for (const pattern of PATTERNS) {
  const suite = { pattern, hash: "SHA256", hybrid: true } as const;
  const messages = honestMessages(suite);

  for (const index of [0, 1]) {
    Deno.test(`${suiteName(suite)}: no bit of ML-KEM in message ${index} can change, even if the KEM did not notice`, () => {
      const message = messages[index]!;
      for (let bit = 0; bit < 8 * message.length; bit++) {
        const at = bit >> 3;
        if (!isKemByte(suite, index, at)) continue;
        const changed = flipped(message, at, bit & 7);
        assertRefused(suite, messages, index, changed, "ignorant");
      }
    });
  }
}
