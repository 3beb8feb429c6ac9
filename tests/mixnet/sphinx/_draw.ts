import {
  type CryptoProvider,
  generateX25519,
  nodeProvider,
} from "../../../src/core/crypto/mod.ts";
import type { Route } from "../../../src/mixnet/mod.ts";

/** A route with the private keys of its hops. */
export interface DrawnRoute extends Route {
  readonly privateKeys: readonly Uint8Array[];
}

/** A route of `hops` nodes with random addresses, keys, delays below a second, destination and identifier. */
export function drawRoute(
  hops: number,
  crypto: CryptoProvider = nodeProvider,
): DrawnRoute {
  const keys = Array.from({ length: hops }, () => generateX25519(crypto));
  return {
    route: keys.map(({ publicKey }) => ({
      address: crypto.random(32),
      publicKey,
      delayNs: below(10 ** 9),
    })),
    destination: crypto.random(32),
    identifier: crypto.random(16),
    privateKeys: keys.map(({ privateKey }) => privateKey.expose()),
  };
}

/** An integer from 0 to `limit` − 1. */
export function below(limit: number): number {
  const [draw] = new Uint32Array(nodeProvider.random(4).buffer);
  return Math.floor(draw! / 2 ** 32 * limit);
}
