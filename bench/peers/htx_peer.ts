import { generateX25519, nodeProvider } from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import { dial, listen, selfSigned } from "../../src/core/transport/mod.ts";
import {
  Decoy,
  DEFAULT_TICKET_POLICY,
  dialHtx,
  Gate,
  HtxServer,
  makeTicketKey,
  ReplayMemory,
  type Session,
  type Stream,
  TicketKeyRing,
  TokenBuckets,
} from "../../src/htx/mod.ts";
import { decodeHex, encodeHex } from "../../src/core/bytes/mod.ts";
import { ReadBuffer } from "./_read_buffer.ts";
import type { Peer, PeerStream } from "./_workload.ts";

const COOKIE = "__Host-sid";

/** HTX with all defaults, shaping included, over `tcp`, `ws` or `quic`. */
export function htx(scheme: "tcp" | "ws" | "quic"): Peer {
  return {
    listen: (serve) => listenHtx(scheme, serve),
    dialer: (known) => Promise.resolve(dialer(known as Known)),
  };
}

interface Known {
  readonly address: string;
  readonly certPem: string;
  readonly staticKey: string;
  readonly ticketKey: string;
  readonly keyId: string;
}

async function listenHtx(
  scheme: string,
  serve: (stream: PeerStream) => void,
): Promise<Known> {
  const certificate = await selfSigned({ names: ["localhost"] });
  const carrier = scheme === "quic" ? "quic" : "tcp";
  const options = { quic: { certificate } };
  const listener = await listen(`${carrier}://127.0.0.1:0`, options);
  const staticKeyPair = generateX25519(nodeProvider);
  const key = makeTicketKey(nodeProvider, 0, Infinity);
  const server = new HtxServer([listener], {
    staticKeyPair,
    gate: new Gate({
      crypto: nodeProvider,
      keys: new TicketKeyRing([key]),
      replay: new ReplayMemory({
        store: memoryStore(),
        nowMs: performance.now(),
      }),
      buckets: new TokenBuckets({ capacity: 1e9 }),
    }),
    decoy: new Decoy({
      dial: () => Promise.reject(new Error("A bench client needs no decoy")),
    }),
    cookieName: COOKIE,
    maxSessionsPerNetwork: 4_096, // every client is on this machine
  });
  void acceptSessions(server, serve);
  return {
    address: listener.address.replace(carrier, scheme),
    certPem: certificate.certPem,
    staticKey: encodeHex(staticKeyPair.publicKey),
    ticketKey: encodeHex(key.publicKey),
    keyId: encodeHex(key.keyId),
  };
}

async function acceptSessions(
  server: HtxServer,
  serve: (stream: PeerStream) => void,
): Promise<void> {
  for await (const session of server) void acceptStreams(session, serve);
}

async function acceptStreams(
  session: Session,
  serve: (stream: PeerStream) => void,
): Promise<void> {
  for await (const stream of session) serve(asStream(stream));
}

function dialer(known: Known) {
  const quic = { caCerts: [known.certPem], serverName: "localhost" };
  return async () => {
    const session = await dialHtx({
      address: known.address,
      staticKey: decodeHex(known.staticKey),
      offer: {
        policy: DEFAULT_TICKET_POLICY,
        keyId: decodeHex(known.keyId),
        publicKey: decodeHex(known.ticketKey),
        cookieName: COOKIE,
      },
      dial: (address, options) =>
        dial(address.replace(/^ws:/, "tcp:"), { ...options, quic }),
    });
    return {
      open: async () => asStream(await session.open()),
      close: async () => void await session.close(),
    };
  };
}

function asStream(stream: Stream): PeerStream {
  const buffer = new ReadBuffer();
  return {
    send: (bytes) => stream.write(bytes),
    async receive() {
      const length = await stream.read(buffer.room);
      return length === null ? null : buffer.take(length);
    },
    close: () => stream.closeWrite(),
  };
}
