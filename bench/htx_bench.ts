import { assertEquals, assertNotEquals } from "@std/assert";
import { generateX25519, nodeProvider } from "../src/core/crypto/mod.ts";
import { decodeFrameHeader, FRAME_TYPE, TAG_LENGTH } from "../src/htx/frame.ts";
import { Handshake, type HandshakeInit } from "../src/htx/handshake.ts";
import { deriveSessionKeys, type SessionKeys } from "../src/htx/keys.ts";
import { Mux, type Role } from "../src/htx/mux.ts";
import { parameters } from "../src/htx/parameters.ts";
import { Opener, Sealer } from "../src/htx/protection.ts";
import type { StreamState } from "../src/htx/stream_state.ts";

const SIZES = [["64 B", 64], ["1 KiB", 1024], ["64 KiB", 65536]] as const;
const PARAMETERS = parameters();

for (const [name, length] of SIZES) {
  const data = nodeProvider.random(length);
  const group = `frame of ${name}`;
  const frames = sealerAndOpener(data);
  assertEquals(frames(), data);
  Deno.bench(`seal and open, ${name}`, { group, baseline: true }, () => {
    frames();
  });
  const muxes = muxPair(data.length);
  assertEquals(muxes(data), data);
  Deno.bench(`through two muxes, ${name}`, { group }, () => {
    muxes(data);
  });
}

for (const classic of [true, false]) {
  const shake = handshake(classic);
  const { client, server } = shake();
  assertEquals(client.keys, server.keys);
  assertNotEquals(client.keys.client.key, client.keys.server.key);
  const name = classic ? "X25519" : "X25519 and ML-KEM-768";
  Deno.bench(
    `handshake, both ends, ${name}`,
    { group: "handshake", baseline: classic },
    () => {
      shake();
    },
  );
}

/** Seals `data` in a STREAM frame and opens that, with new keys when they are due. */
function sealerAndOpener(data: Uint8Array): () => Uint8Array {
  const sealer = new Sealer(nodeProvider, testKeys().client, 0);
  const opener = new Opener(nodeProvider, testKeys().client);
  const frame = new Uint8Array(5 + data.length + TAG_LENGTH);
  return () => {
    if (sealer.rekeyDue(0, data.length)) {
      sealer.rekey(0);
      opener.rekey();
    }
    frame.set(data, 5);
    sealer.seal(FRAME_TYPE.stream, 1, data.length, frame, 0);
    const header = decodeFrameHeader(frame, 0, frame.length, data.length)!;
    return opener.open(frame, 0, header);
  };
}

/** Sends data on a stream of one mux and reads it at the other, which grants credit back. */
function muxPair(length: number): (data: Uint8Array) => Uint8Array {
  const opened: StreamState[] = [];
  const client = mux("client", opened);
  const server = mux("server", opened);
  const stream = client.open();
  const into = new Uint8Array(length);
  return (data) => {
    client.offer(stream, data);
    for (let filled = 0; filled < length;) {
      carry(client, server);
      filled += server.read(opened[0]!, into.subarray(filled), 0);
      carry(server, client);
    }
    return into;
  };
}

function carry(from: Mux, to: Mux): void {
  for (let bytes = from.poll(0); bytes; bytes = from.poll(0)) to.feed(bytes, 0);
}

function mux(role: Role, opened: StreamState[]): Mux {
  return new Mux({
    role,
    crypto: nodeProvider,
    keys: testKeys(),
    local: PARAMETERS,
    remote: PARAMETERS,
    nowMs: 0,
    rttMs: 1,
    pingTimeoutMs: 30_000,
    observer: {
      opened: (stream) => opened.push(stream),
      pinged() {},
      ended() {},
      closed() {},
    },
  });
}

/** Does a whole inner handshake. */
function handshake(classic: boolean) {
  const serverKeyPair = generateX25519(nodeProvider);
  const clientKeyPair = generateX25519(nodeProvider);
  const common: Omit<HandshakeInit, "role" | "staticKeyPair"> = {
    crypto: nodeProvider,
    ticketHash: nodeProvider.random(32),
    parameters: PARAMETERS,
    classic,
    wallTimeMs: Date.UTC(2026, 0, 1),
  };
  return () => {
    const client = new Handshake({
      ...common,
      role: "client",
      staticKeyPair: clientKeyPair,
      remoteStaticKey: serverKeyPair.publicKey,
    });
    const server = new Handshake({
      ...common,
      role: "server",
      staticKeyPair: serverKeyPair,
    });
    const answer = server.feed(client.start(0), 0)!;
    server.feed(client.feed(answer, 0)!, 0);
    return { client: client.established!, server: server.established! };
  };
}

function testKeys(): SessionKeys {
  return deriveSessionKeys(nodeProvider, {
    chainingKey: new Uint8Array(32).fill(1),
    handshakeHash: new Uint8Array(32).fill(2),
  });
}
