import { assert, assertEquals } from "@std/assert";
import { concat } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import { dialTcp, listenTcp } from "../../src/core/transport/mod.ts";
import {
  connectionPreface,
  decodeFrame,
  decodeSettings,
  decodeWindowUpdate,
  encodeFrame,
  FLAG,
  type Frame,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE,
  type HeaderField,
  HpackEncoder,
} from "../../src/http2/mod.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { Gate } from "../../src/htx/gate.ts";
import type { Http2Greeting } from "../../src/htx/http2_search.ts";
import { ReplayMemory } from "../../src/htx/replay.ts";
import { HtxServer } from "../../src/htx/server.ts";
import { makeTicketKey, TicketKeyRing } from "../../src/htx/ticket_key_ring.ts";
import { TokenBuckets } from "../../src/htx/token_bucket.ts";
import { generateX25519 } from "../../src/core/crypto/mod.ts";
import { agreeingOnHttp2 } from "../htx/_world.ts";
import { startNginx } from "./_nginx.ts";
import { isAvailable } from "./_peers.ts";

const GREETING = concat(connectionPreface(), frame(FRAME_TYPE.settings, 0));
const PING = frame(FRAME_TYPE.ping, 0, new Uint8Array(8).fill(5));
const TICKET: HeaderField = ["cookie", `__Host-sid=${"A".repeat(200)}`];

/**
 * What a prober sends, piece by piece, and how many frames it waits for behind each. (nginx without TLS says nothing before the
 * first bytes; its greeting counts with them.)
 */
const PROBES: Record<string, (readonly [piece: Uint8Array, frames: number])[]> =
  {
    "preface and SETTINGS": [[GREETING, 3]],
    "the preface in two pieces": [
      [GREETING.subarray(0, 10), 2],
      [GREETING.subarray(10), 1],
    ],
    "PING before a request": [[GREETING, 3], [PING, 1], [PING, 1]],
    "a request": [[GREETING, 3], [headers(1), 2]],
    "a request in two pieces": [
      [GREETING, 3],
      [headers(1).subarray(0, 12), 0],
      [headers(1).subarray(12), 2],
    ],
    "all at once": [[concat(GREETING, PING, headers(1)), 6]],
    "two requests": [[concat(GREETING, headers(1), headers(3)), 7]],
    "a forged ticket": [[GREETING, 3], [headers(1, TICKET), 2]],
    "a short ticket": [[GREETING, 3], [
      headers(1, ["cookie", "__Host-sid=AA"]),
      2,
    ]],
    "HTTP/1.1": [[new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"), 3]],
    "DATA of no stream": [[GREETING, 3], [frame(FRAME_TYPE.data, 0), 1]],
    "an even stream": [[GREETING, 3], [headers(2), 1]],
    "a bad block": [[GREETING, 3], [
      frame(FRAME_TYPE.headers, 1, new Uint8Array(3).fill(255), 5),
      1,
    ]],
  };

Deno.test({
  name: "HtxServer shows a prober over HTTP/2 frame for frame what nginx shows",
  ignore: !isAvailable("nginx", ["-v"], "decoy_http2_nginx_test"),
  async fn(t) {
    await using nginx = await startNginx({ http2: true });
    const bare = `tcp://${nginx.at}`;
    const decoy = new Decoy({ dial: (options) => dialTcp(bare, options) });
    await using server = new HtxServer([
      agreeingOnHttp2(listenTcp("tcp://127.0.0.1:0")),
    ], {
      staticKeyPair: generateX25519(nodeProvider),
      gate: makeGate(),
      decoy,
      cookieName: "__Host-sid",
      http2Greeting: await greetingOf(bare),
    });
    for (const [name, pieces] of Object.entries(PROBES)) {
      await t.step(name, async () => {
        const seen = await probe(server.addresses[0]!, pieces);
        assertEquals(seen, await probe(bare, pieces));
        assert(seen.length >= 2);
      });
    }
    assertEquals(decoy.counts.unlike, 0);
  },
});

/** The frames of the answer, the time of it left out. */
async function probe(
  address: string,
  pieces: readonly (readonly [piece: Uint8Array, frames: number])[],
): Promise<unknown[]> {
  await using connection = await dialTcp(address);
  const buffer = new Uint8Array(65_536);
  let left: Uint8Array = new Uint8Array(0);
  const frames: Frame[] = [];
  for (const [piece, count] of pieces) {
    await connection.write(piece);
    for (let taken = 0; taken < count;) {
      const frame = decodeFrame(left);
      if (frame) {
        frames.push(frame);
        left = left.slice(FRAME_HEADER_LENGTH + frame.payload.length);
        taken++;
        continue;
      }
      const length = await connection.read(buffer).catch(() => null);
      if (length === null) break;
      left = concat(left, buffer.subarray(0, length));
    }
  }
  // Header blocks have the date, whose Huffman code differs in length.
  return frames.map(({ type, flags, streamId, payload }) => [
    type,
    flags,
    streamId,
    type === FRAME_TYPE.headers ? payload[0] : payload,
  ]);
}

async function greetingOf(address: string): Promise<Http2Greeting> {
  await using connection = await dialTcp(address);
  const buffer = new Uint8Array(4_096);
  await connection.write(GREETING);
  const length = await connection.read(buffer);
  const settings = decodeFrame(buffer.subarray(0, length!))!;
  const rest = buffer.subarray(FRAME_HEADER_LENGTH + settings.payload.length);
  const update = decodeFrame(rest)!;
  return {
    settings: decodeSettings(settings.payload),
    windowUpdate: decodeWindowUpdate(update.payload),
  };
}

function makeGate(): Gate {
  return new Gate({
    crypto: nodeProvider,
    keys: new TicketKeyRing([makeTicketKey(nodeProvider, 0, Infinity)]),
    replay: new ReplayMemory({ store: memoryStore(), nowMs: 0 }),
    buckets: new TokenBuckets({ capacity: 1e6 }),
  });
}

function headers(streamId: number, ...more: HeaderField[]): Uint8Array {
  const block = new HpackEncoder({ indexing: () => "none" }).encode([
    [":method", "GET"],
    [":authority", "example.org"],
    [":scheme", "https"],
    [":path", "/missing"],
    ...more,
  ]);
  const flags = FLAG.endHeaders | FLAG.endStream;
  return frame(FRAME_TYPE.headers, streamId, block, flags);
}

function frame(
  type: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(0),
  flags = 0,
): Uint8Array {
  return encodeFrame({ type, flags, streamId, payload });
}
