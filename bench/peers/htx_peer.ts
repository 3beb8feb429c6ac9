import {
  type CryptoProvider,
  generateX25519,
  type X25519KeyPair,
} from "../../src/core/crypto/mod.ts";
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
  tlsOuter,
  TokenBuckets,
} from "../../src/htx/mod.ts";
import {
  listenTls,
  parsePem,
  pinnedVerifier,
  serverCertificate,
  type ServerCertificateOptions,
} from "../../src/tls/mod.ts";
import { profileOf } from "../../src/utls/mod.ts";
import { decodeHex, encodeHex } from "../../src/core/bytes/mod.ts";
import { ReadBuffer } from "./_read_buffer.ts";
import type { Peer, PeerStream } from "./_workload.ts";

const COOKIE = "__Host-sid";

/** What HTX runs over; `tls` is HTTP/2 in TLS as Chrome does it. */
type Scheme = "tcp" | "ws" | "quic" | "tls";
type ImportKey = ServerCertificateOptions["importKey"];

/** HTX with all defaults, shaping included. */
export function htx(
  scheme: Scheme,
  crypto: CryptoProvider,
  importKey?: ImportKey,
): Peer {
  return {
    listen: (serve) => listenHtx(scheme, serve, crypto, importKey),
    dialer: (known) => Promise.resolve(dialer(known as HtxKnown, crypto)),
  };
}

/** What a client needs to know of a server. */
export interface HtxKnown {
  readonly address: string;
  readonly certPem: string;
  readonly staticKey: string;
  readonly ticketKey: string;
  readonly keyId: string;
}

async function listenHtx(
  scheme: Scheme,
  serve: (stream: PeerStream) => void,
  crypto: CryptoProvider,
  importKey: ImportKey,
): Promise<HtxKnown> {
  const { server, known } = await startHtxServer(scheme, crypto, importKey);
  void acceptSessions(server, serve);
  return known;
}

/** A server on this machine that takes any number of sessions, and what a client needs to know of it. */
export async function startHtxServer(
  scheme: Scheme,
  crypto: CryptoProvider,
  importKey?: ImportKey,
): Promise<
  { server: HtxServer; known: HtxKnown; staticKeyPair: X25519KeyPair }
> {
  const certificate = await selfSigned({ names: ["localhost"] });
  const carrier = scheme === "quic" ? "quic" : "tcp";
  const options = { quic: { certificate } };
  const plain = await listen(`${carrier}://127.0.0.1:0`, options);
  const { certPem: chainPem, keyPem } = certificate;
  const pem = { chainPem, keyPem, ...(importKey && { importKey }) };
  const listener = scheme === "tls"
    ? listenTls(plain, {
      certificates: [serverCertificate(pem)],
      alpn: ["h2", "http/1.1"],
      crypto,
    })
    : plain;
  const staticKeyPair = generateX25519(crypto);
  const key = makeTicketKey(crypto, 0, Infinity);
  const server = new HtxServer([listener], {
    staticKeyPair,
    crypto,
    gate: new Gate({
      crypto,
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
  const known = {
    address: listener.address.replace(carrier, scheme),
    certPem: certificate.certPem,
    staticKey: encodeHex(staticKeyPair.publicKey),
    ticketKey: encodeHex(key.publicKey),
    keyId: encodeHex(key.keyId),
  };
  return { server, known, staticKeyPair };
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

function dialer(known: HtxKnown, crypto: CryptoProvider) {
  const open = sessionDialer(known, crypto);
  return async () => {
    const session = await open();
    return {
      open: async () => asStream(await session.open()),
      close: async () => void await session.close(),
    };
  };
}

/** What opens sessions with a server, by `staticKeyPair` or a new one each time. */
export function sessionDialer(
  known: HtxKnown,
  crypto: CryptoProvider,
  staticKeyPair?: X25519KeyPair,
): () => Promise<Session> {
  const outer = tlsOuter({
    profile: profileOf("latest"),
    verify: pinnedVerifier(parsePem(known.certPem)[0]!),
    serverName: "localhost",
  });
  const quic = { caCerts: [known.certPem], serverName: "localhost" };
  return () =>
    dialHtx({
      address: known.address,
      crypto,
      ...(staticKeyPair && { staticKeyPair }),
      ...(known.address.startsWith("tls:") && { outer }),
      staticKey: decodeHex(known.staticKey),
      offer: {
        policy: DEFAULT_TICKET_POLICY,
        keyId: decodeHex(known.keyId),
        publicKey: decodeHex(known.ticketKey),
        cookieName: COOKIE,
      },
      dial: (address, options) =>
        dial(address.replace(/^(?:ws|tls):/, "tcp:"), { ...options, quic }),
    });
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
