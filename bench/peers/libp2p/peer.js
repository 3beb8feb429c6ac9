/**
 * One process of js-libp2p with Noise and Yamux over TCP: `peer.js server`, or `peer.js client <what the server said>`.
 *
 * It is JavaScript so that the repository's own type check does not ask for js-libp2p.
 *
 * @module
 */
import process from "node:process";
import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import { tcp } from "@libp2p/tcp";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { runPeer } from "../_run_peer.ts";

const PROTOCOL = "/betanet/bench/1";
/** The limits that would stop a bench: many connections from one address. */
const NO_LIMIT = 1_000_000;

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

function createNode(listen) {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: NO_LIMIT,
      inboundConnectionThreshold: NO_LIMIT,
      maxIncomingPendingConnections: NO_LIMIT,
    },
  });
}

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

async function* piecesOf(stream) {
  for await (const list of stream) {
    if (list instanceof Uint8Array) yield list;
    else yield* list;
  }
}

const [role = "", known = "null"] = process.argv.slice(2);
await runPeer(libp2p, role, known);
