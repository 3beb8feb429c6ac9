import type { Route } from "../../src/mixnet/mod.ts";
import { buildCrate, LinePeer } from "./_line_peer.ts";
import { isAtLeast } from "./_peers.ts";

/** Whether there is a cargo that builds Nym's crate. */
export function hasCargo(asker: string): boolean {
  return isAtLeast("cargo --version", "1.85", asker);
}

/** Nym's crate `sphinx-packet` in a process of its own: see `rust/sphinx_peer/src/main.rs`. */
export class SphinxCrate extends LinePeer {
  static async start(): Promise<SphinxCrate> {
    return new SphinxCrate(await buildCrate("sphinx_peer"));
  }
}

/** `route` as the crate's requests write it. */
export function routeText({ route }: Route): string {
  return route.map(({ address, publicKey, delayNs }) =>
    `${address.toHex()},${publicKey.toHex()},${delayNs}`
  ).join(";");
}
