/**
 * One process of js-libp2p that asks or answers: `message_peer.js <way> server`, or `message_peer.js <way> client <what the server said>`.
 * The way is `calls`, a stream for each request, as is usual, or `stream`, one for all, with lengths between and answers in order.
 *
 * It is JavaScript so that the repository's own type check does not ask for js-libp2p.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { multiaddr } from "@multiformats/multiaddr";
import { runMessagePeer } from "../_run_message_peer.ts";
import { createNode, piecesOf } from "./_node.js";

const CALL = "/betanet/call/1";
const STREAM = "/betanet/messages/1";
const NO_LIMIT = 1_000_000;
const NO_STREAM_LIMIT = { maxInboundStreams: NO_LIMIT, maxOutboundStreams: NO_LIMIT };
const TAKE = 2;

/** @type {Record<string, import("../_message_workload.ts").MessagePeer>} */
const ways = {
  calls: {
    listen: listen,
    async dial(known) {
      const connection = await connect(known);
      return {
        async request(message) {
          const stream = await connection.newStream(CALL, NO_STREAM_LIMIT);
          await send(stream, message);
          await stream.close();
          return await wholeOf(stream);
        },
      };
    },
  },
  stream: {
    listen: listen,
    async dial(known) {
      const connection = await connect(known);
      const stream = await connection.newStream(STREAM, NO_STREAM_LIMIT);
      const waiting = [];
      void (async () => {
        for await (const answer of framesOf(stream)) waiting.shift()(answer);
      })();
      return {
        async request(message) {
          const answer = new Promise((resolve) => waiting.push(resolve));
          await send(stream, framed(message));
          return await answer;
        },
        notify: (message) => send(stream, framed(message)),
      };
    },
  },
};

async function listen(server) {
  const node = await createNode(["/ip4/127.0.0.1/tcp/0"]);
  await node.handle(CALL, async (stream) => {
    await send(stream, await server.answer(await wholeOf(stream)));
    await stream.close();
  }, NO_STREAM_LIMIT);
  await node.handle(STREAM, async (stream) => {
    for await (const message of framesOf(stream)) {
      if (message[0] === TAKE) server.take(message);
      else await send(stream, framed(await server.answer(message)));
    }
  }, NO_STREAM_LIMIT);
  return { address: node.getMultiaddrs()[0].toString() };
}

async function connect(known) {
  const node = await createNode([]);
  return await node.dial(multiaddr(known.address));
}

async function send(stream, bytes) {
  if (!stream.send(bytes)) await stream.onDrain();
}

async function wholeOf(stream) {
  const pieces = [];
  for await (const piece of piecesOf(stream)) pieces.push(piece);
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}

function framed(message) {
  const bytes = new Uint8Array(4 + message.length);
  new DataView(bytes.buffer).setUint32(0, message.length);
  bytes.set(message, 4);
  return bytes;
}

async function* framesOf(stream) {
  let parts = [];
  let length = 0;
  let wanted = 4;
  for await (const piece of piecesOf(stream)) {
    parts.push(piece);
    length += piece.length;
    if (length < wanted) continue;
    const all = Buffer.concat(parts);
    let at = 0;
    for (;;) {
      if (length - at < 4) {
        wanted = 4;
        break;
      }
      wanted = 4 + all.readUInt32BE(at);
      if (length - at < wanted) break;
      yield all.subarray(at + 4, at + wanted);
      at += wanted;
    }
    parts = [all.subarray(at)];
    length -= at;
  }
}

const [way = "", role = "", known = "null"] = process.argv.slice(2);
await runMessagePeer(ways[way], role, known);
