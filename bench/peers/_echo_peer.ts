/**
 * What lies below agents, alone: `_echo_peer.ts <tcp|htx> server|client <what it needs to know>` sends every byte back over one TCP
 * connection of Deno, or one stream of HTX over TCP. A client writes what it was given in one turn at once, as agents do.
 *
 * @module
 */
import { openCrypto } from "../../cli/_crypto.ts";
import { concat } from "../../src/core/bytes/mod.ts";
import { generateX25519 } from "../../src/core/crypto/mod.ts";
import { silentLogger } from "../../src/core/log/mod.ts";
import { type HtxKnown, sessionDialer, startHtxServer } from "./htx_peer.ts";
import type { MessageClient, MessagePeer } from "./_message_workload.ts";
import { runMessagePeer } from "./_run_message_peer.ts";

/** A TCP connection or a stream. */
interface Pipe {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number | void>;
}

interface Asked {
  readonly answer: Uint8Array;
  readonly resolve: (answer: Uint8Array) => void;
  filled: number;
}

const BUFFER_BYTES = 65_536;
const HOSTNAME = "127.0.0.1";

const tcp: MessagePeer = {
  listen() {
    const listener = Deno.listen({ hostname: HOSTNAME, port: 0 });
    void (async () => {
      for await (const conn of listener) {
        conn.setNoDelay();
        echo(conn).catch(() => {});
      }
    })();
    return Promise.resolve({ port: listener.addr.port });
  },
  async dial(known) {
    const { port } = known as { port: number };
    const conn = await Deno.connect({ hostname: HOSTNAME, port });
    conn.setNoDelay();
    return clientOf(conn);
  },
};

const htx: MessagePeer = {
  async listen() {
    const { server, known } = await startHtxServer(
      "tcp",
      openCrypto("auto", silentLogger),
    );
    void (async () => {
      for await (const session of server) {
        for await (const stream of session) {
          // What ends a stream early fails at the client too.
          echo(stream).catch(() => {});
        }
      }
    })();
    return known;
  },
  async dial(known) {
    const crypto = openCrypto("auto", silentLogger);
    const keys = generateX25519(crypto);
    const dial = sessionDialer(known as HtxKnown, crypto, keys);
    const session = await dial();
    return clientOf(await session.open());
  },
};

const [kind = "", role = "", known = "null"] = Deno.args;
await runMessagePeer(kind === "htx" ? htx : tcp, role, known);

async function echo(pipe: Pipe): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (let length; (length = await pipe.read(buffer));) {
    await writeAll(pipe, buffer.subarray(0, length));
  }
}

function clientOf(pipe: Pipe): MessageClient {
  const asked: Asked[] = [];
  let waiting: Uint8Array[] = [];
  let isWriting = false;
  const write = async () => {
    while (waiting.length > 0) {
      const bytes = concat(...waiting);
      waiting = [];
      await writeAll(pipe, bytes);
    }
    isWriting = false;
  };
  void readAnswers(pipe, asked);
  return {
    request: (message) =>
      new Promise((resolve) => {
        const answer = new Uint8Array(message.length);
        asked.push({ answer, resolve, filled: 0 });
        waiting.push(message);
        if (isWriting) return;
        isWriting = true;
        queueMicrotask(() => void write());
      }),
  };
}

/** Answers come in the order of what was asked. */
async function readAnswers(pipe: Pipe, asked: Asked[]): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (let length; (length = await pipe.read(buffer));) {
    for (let at = 0; at < length;) {
      const first = asked[0]!;
      const left = first.answer.length - first.filled;
      const part = buffer.subarray(at, Math.min(length, at + left));
      first.answer.set(part, first.filled);
      first.filled += part.length;
      at += part.length;
      if (part.length < left) break;
      asked.shift();
      first.resolve(first.answer);
    }
  }
}

async function writeAll(pipe: Pipe, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await pipe.write(bytes.subarray(at)) ?? bytes.length;
  }
}
