/**
 * One process of js-libp2p with Noise and Yamux over TCP: `peer.js server`, or `peer.js client <what the server said>`.
 *
 * It is JavaScript so that the repository's own type check does not ask for js-libp2p.
 *
 * @module
 */
import process from "node:process";
import { multiaddr } from "@multiformats/multiaddr";
import { runPeer } from "../_run_peer.ts";
import { createNode, piecesOf } from "./_node.js";

const PROTOCOL = "/betanet/bench/1";

/** @type {import("../_workload.ts").Peer} */
const libp2p = {
  async listen(serve) {
    const node = await createNode(["/ip4/127.0.0.1/tcp/0"]);
    await node.handle(PROTOCOL, (stream) => serve(asStream(stream)));
    return node.getMultiaddrs()[0].toString();
  },
  async dialer(known) {
    const address = multiaddr(known);
    // A node joins dials to one address into one, so dials at once need nodes of their own.
    const idle = await Promise.all(Array.from({ length: 16 }, () => createNode([])));
    return async () => {
      const node = idle.shift();
      const connection = await node.dial(address, { force: true });
      idle.push(node);
      return {
        open: async () => asStream(await connection.newStream(PROTOCOL)),
        close: () => connection.close(),
      };
    };
  },
};

function asStream(stream) {
  const pieces = piecesOf(stream);
  return {
    async send(bytes) {
      if (!stream.send(bytes)) await stream.onDrain();
    },
    async receive() {
      const { value, done } = await pieces.next();
      return done ? null : value;
    },
    close: () => stream.close(),
  };
}

const [role = "", known = "null"] = process.argv.slice(2);
await runPeer(libp2p, role, known);
