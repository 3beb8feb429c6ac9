/**
 * One process of a peer that needs nothing but Deno and this repository: `peer.ts <name> server` or
 * `peer.ts <name> client <what the server said>`.
 *
 * @module
 */
import { htx } from "./htx_peer.ts";
import { denoTls, rawTcp } from "./plain_peer.ts";
import { runPeer } from "./_run_peer.ts";
import type { Peer } from "./_workload.ts";

const PEERS: Readonly<Record<string, Peer>> = {
  "tcp": rawTcp,
  "tls": denoTls,
  "htx-tcp": htx("tcp"),
  "htx-ws": htx("ws"),
  "htx-quic": htx("quic"),
};

const [name = "", role = "", known = "null"] = Deno.args;
const peer = PEERS[name];
if (!peer) throw new TypeError(`Want a peer of ${Object.keys(PEERS)}`);
await runPeer(peer, role, known);
