import { assertEquals } from "@std/assert";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import {
  type Connection,
  dialTcp,
  type Listener,
  listenTcp,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { findTicket } from "../../src/htx/carrier.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { Gate } from "../../src/htx/gate.ts";
import { ReplayMemory } from "../../src/htx/replay.ts";
import { makeTicketKey, TicketKeyRing } from "../../src/htx/ticket_key_ring.ts";
import { TokenBuckets } from "../../src/htx/token_bucket.ts";

/** Sends each of many requests to the origin at `bare` and through a gate with a decoy; the answers must be the same. */
export async function compareWithOrigin(
  t: Deno.TestContext,
  bare: string,
): Promise<void> {
  const decoy = new Decoy({ dial: (options) => dialTcp(bare, options) });
  const gate = makeGate();
  const listener = listenTcp("tcp://127.0.0.1:0");
  const serving = accept(listener, (c) => receive(c, gate, decoy));
  for (const [name, texts] of Object.entries(PROBES)) {
    await t.step(name, async () => {
      const chunks = texts.map((text) =>
        Uint8Array.from(text, (c) => c.charCodeAt(0))
      );
      const seen = await probe(listener.address, chunks);
      assertEquals(seen, await probe(bare, chunks));
      assertEquals(seen.includes("HTTP/1.") || name === "huge head", true);
    });
  }
  listener.close();
  await serving;
  assertEquals(decoy.counts.served, Object.keys(PROBES).length);
  assertEquals(gate.counts.forged + gate.counts.malformed, 3);
}

/** Reads as a server does until the gate can decide, and hands everybody to the decoy. */
async function receive(connection: Connection, gate: Gate, decoy: Decoy) {
  const buffer = new Uint8Array(4096);
  let received: Bytes = new Uint8Array(0);
  let found = findTicket(received, "__Host-sid");
  while (found === undefined) {
    const n = await connection.read(buffer);
    if (n === null) break;
    received = concat(received, buffer.subarray(0, n));
    found = findTicket(received, "__Host-sid");
  }
  const { remoteAddress } = connection;
  const visit = { remoteAddress, wallTimeMs: 0, nowMs: 0 };
  const payload = typeof found === "object" ? found.payload : found ?? "none";
  assertEquals(gate.admit(payload, visit).admitted, false);
  await decoy.serve(connection, received);
}

function makeGate(): Gate {
  return new Gate({
    crypto,
    keys: new TicketKeyRing([makeTicketKey(crypto, 0, Infinity)]),
    replay: new ReplayMemory({ store: memoryStore(), nowMs: 0 }),
    buckets: new TokenBuckets(),
  });
}

async function accept(
  listener: Listener,
  handle: (connection: Connection) => Promise<void>,
) {
  const running: Promise<void>[] = [];
  for await (const connection of listener) running.push(handle(connection));
  await Promise.all(running);
}

/** What comes back for `chunks`, until the server ends; dates are masked. */
async function probe(address: string, chunks: readonly Uint8Array[]) {
  await using connection = await dialTcp(address);
  const answer = readAll(connection);
  try {
    for (const chunk of chunks) await connection.write(chunk);
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
  }
  const bytes = await answer;
  const text = String.fromCharCode(...bytes);
  return text.replace(/date: [^\r]*/gi, "date: *");
}

/** Everything until the peer ends or breaks. */
export async function readAll(connection: Connection): Promise<Bytes> {
  const buffer = new Uint8Array(65_536);
  let all: Bytes = new Uint8Array(0);
  try {
    for (;;) {
      const n = await connection.read(buffer);
      if (n === null) return all;
      all = concat(all, buffer.subarray(0, n));
    }
  } catch (error) {
    if (error instanceof TransportError) return all;
    throw error;
  }
}

function request(line: string, ...fields: string[]): string {
  const lines = [line, "Host: a", ...fields, "Connection: close", "", ""];
  return lines.join("\r\n");
}

const TICKET = "A".repeat(180);
const BIG = "x".repeat(9000);
const FORM = "Content-Type: application/x-www-form-urlencoded";
/** Requests over HTTP/1.1, each in the pieces it is sent in; all end the connection. */
export const PROBES: Record<string, readonly string[]> = {
  "GET": [request("GET / HTTP/1.1")],
  "GET with a query": [request("GET /style.css?v=1 HTTP/1.1")],
  "HEAD": [request("HEAD / HTTP/1.1")],
  "POST": [request("POST / HTTP/1.1", "Content-Length: 3") + "a=b"],
  "DELETE": [request("DELETE /robots.txt HTTP/1.1")],
  "not found": [request("GET /admin HTTP/1.1")],
  "bad escape": [request("GET /%zz HTTP/1.1")],
  "HTTP/1.0": ["GET / HTTP/1.0\r\n\r\n"],
  "no host": ["GET / HTTP/1.1\r\nConnection: close\r\n\r\n"],
  "pipelined": [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /favicon.svg HTTP/1.1\r\nHost: a\r\n\r\n" +
    request("GET /x HTTP/1.1"),
  ],
  "slow": [...request("GET / HTTP/1.1")],
  "malformed line": ["GET\r\n\r\n"],
  "malformed field": ["GET / HTTP/1.1\r\nno colon\r\n\r\n"],
  "malformed after a slow start": ["GE", "T / HT", "TP/9\r\n", "\r\n"],
  "huge head": [request("GET / HTTP/1.1", `X: ${BIG}`, `Y: ${BIG}`)],
  "garbage": ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(50)],
  "chunked": [
    request("POST / HTTP/1.1", "Transfer-Encoding: chunked") +
    "3\r\nabc\r\n0\r\n\r\n",
  ],
  "forged cookie": [request("GET / HTTP/1.1", `Cookie: __Host-sid=${TICKET}`)],
  "forged query": [request(`GET /?bn1=${TICKET} HTTP/1.1`)],
  "forged body": [
    request("POST / HTTP/1.1", FORM, "Content-Length: 184"),
    `bn1=${TICKET}`,
  ],
};
