// An HTX server in a process of its own, for scenarios that measure or kill it; _server_process.ts starts it.
import { decodeHex } from "../../src/core/bytes/mod.ts";
import {
  nodeProvider,
  type X25519KeyPair,
  x25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import { memoryStore, sqliteStore } from "../../src/core/storage/mod.ts";
import {
  type Connection,
  dialTcp,
  type Listener,
  listenTcp,
} from "../../src/core/transport/mod.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { Gate } from "../../src/htx/gate.ts";
import { ReplayMemory } from "../../src/htx/replay.ts";
import type { MuxStats } from "../../src/htx/mux.ts";
import { HtxServer } from "../../src/htx/server.ts";
import type { Session } from "../../src/htx/session.ts";
import { TicketKeyRing } from "../../src/htx/ticket_key_ring.ts";
import { TokenBuckets } from "../../src/htx/token_bucket.ts";
import { listenTls, serverCertificate } from "../../src/tls/mod.ts";
import { testCertificate } from "../tls/_certificates.ts";
import { asked, say } from "./_line_process.ts";
import type { ServerProcessOptions, ServerStats } from "./_server_process.ts";

const options: ServerProcessOptions = JSON.parse(Deno.args[0]!);
const origin = listenTcp("tcp://127.0.0.1:0");
void serveOrigin();
using store = options.storePath
  ? sqliteStore(options.storePath)
  : memoryStore();
const gate = new Gate({
  crypto: nodeProvider,
  keys: new TicketKeyRing([{
    ...keyPair(options.ticketPrivateKey),
    keyId: decodeHex(options.ticketKeyId),
    notBeforeMs: 0,
    notAfterMs: Infinity,
  }]),
  replay: new ReplayMemory({ store, nowMs: performance.now() }),
  buckets: new TokenBuckets({ capacity: 1e6 }),
});
const server = new HtxServer([listen()], {
  staticKeyPair: keyPair(options.staticPrivateKey),
  gate,
  decoy: new Decoy({ dial: (dialing) => dialTcp(origin.address, dialing) }),
  cookieName: "__Host-sid",
  ...options.server,
});
void serveSessions();
const [address] = server.addresses;
say({ address: options.tls ? address!.replace("tcp:", "tls:") : address });
await answerQuestions();
await server.close();
origin.close();

function listen(): Listener {
  const listener = listenTcp("tcp://127.0.0.1:0");
  if (!options.tls) return listener;
  const { certPem: chainPem, keyPem } = testCertificate("p256");
  return listenTls(listener, {
    certificates: [serverCertificate({ chainPem, keyPem })],
    alpn: ["h2", "http/1.1"],
  });
}

function keyPair(privateKey: string): X25519KeyPair {
  return x25519KeyPair(nodeProvider, decodeHex(privateKey));
}

async function serveSessions(): Promise<void> {
  for await (const session of server) void serveStreams(session);
}

async function serveStreams(session: Session): Promise<void> {
  for await (const stream of session) {
    if (!options.stall) void echo(stream).catch(() => stream.close());
  }
}

async function echo(stream: Connection): Promise<void> {
  const buffer = new Uint8Array(16_384);
  for (let n; (n = await stream.read(buffer)) !== null;) {
    await stream.write(buffer.subarray(0, n));
  }
  await stream.closeWrite();
}

async function serveOrigin(): Promise<void> {
  const answer = new TextEncoder().encode(
    "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
  );
  for await (const connection of origin) {
    void connection.write(answer).then(() => connection.closeWrite()).catch(
      () => connection.close(),
    );
  }
}

/** A line of statistics for every line on standard input, until that ends. */
async function answerQuestions(): Promise<void> {
  while (await asked()) {
    const sessions = [...server.sessions];
    const sum = (count: (stats: MuxStats) => number) =>
      sessions.reduce((n, { stats }) => n + count(stats), 0);
    const stats: ServerStats = {
      sessions: sessions.length,
      streams: sum(({ streams }) => streams),
      bytesIn: sum(({ bytesIn }) => bytesIn),
      counts: server.counts,
      gate: gate.counts,
    };
    say(stats);
  }
}
