import { decodeHex } from "../../../src/core/bytes/mod.ts";
import { Secret } from "../../../src/core/crypto/mod.ts";
import type { bpsec } from "../../../src/dtn/mod.ts";

/** Gives the key in hex of each use, whoever the source is. */
export function keysOf(
  hex: Partial<Record<bpsec.SecurityKeyUse, string>>,
): bpsec.SecurityKeys {
  const secrets = new Map(
    Object.entries(hex).map(([use, key]) => [use, new Secret(decodeHex(key))]),
  );
  return { keyFor: (use) => secrets.get(use) };
}
