import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import { tcp } from "@libp2p/tcp";
import { createLibp2p } from "libp2p";

/** The limits that would stop a bench: many connections from one address. */
const NO_LIMIT = 1_000_000;

/** A node with Noise and Yamux over TCP. */
export function createNode(listen) {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ maxInboundStreams: NO_LIMIT, maxOutboundStreams: NO_LIMIT })],
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: NO_LIMIT,
      inboundConnectionThreshold: NO_LIMIT,
      maxIncomingPendingConnections: NO_LIMIT,
    },
  });
}

/** What comes over a stream, piece by piece. */
export async function* piecesOf(stream) {
  for await (const list of stream) {
    if (list instanceof Uint8Array) yield list;
    else yield* list;
  }
}
