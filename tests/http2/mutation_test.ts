import { assert } from "@std/assert";
import { concat } from "../../src/core/bytes/mod.ts";
import {
  type HeaderField,
  HpackDecoder,
  HpackEncoder,
  Http2Connection,
} from "../../src/http2/mod.ts";
import { GET } from "./_peer.ts";

const RUNS = 100_000;
const LONG: HeaderField = ["x-long", "value".repeat(20)];

Deno.test("Http2Connection survives mutated traffic, and what it makes of it stays bounded", () => {
  const random = generator(0x9113);
  const [toServer, toClient] = conversation();
  let failed = 0;
  for (let run = 0; run < RUNS; run++) {
    const server = run % 2 === 0;
    const bytes = mutate(server ? toServer! : toClient!, random);
    const connection = new Http2Connection({
      role: server ? "server" : "client",
    });
    if (!server) connection.request(GET);
    const at = Math.floor(random() * bytes.length);
    const events = [
      ...connection.receive(bytes.subarray(0, at), 0),
      ...connection.receive(bytes.subarray(at), 1),
    ];
    if (events.some(({ type }) => type === "failed")) failed++;
    assert(events.length < 100);
    assert(connection.outgoingBytes < 4_096);
    assert(connection.openStreams <= 100);
  }
  assert(failed > RUNS / 4 && failed < RUNS);
});

Deno.test("HpackDecoder reads mutated blocks or throws RangeError", () => {
  const random = generator(0x7541);
  const block = new HpackEncoder().encode([...GET, LONG, [
    "x",
    "\u00ff\u0001",
  ]]);
  let read = 0;
  for (let run = 0; run < RUNS; run++) {
    try {
      new HpackDecoder().decode(mutate(block, random));
      read++;
    } catch (error) {
      assert(error instanceof RangeError);
    }
  }
  assert(read > RUNS / 20 && read < RUNS);
});

/** What a client and a server say: a request with content, a PING, an answer, another request. */
function conversation(): Uint8Array[] {
  const client = new Http2Connection({ role: "client" });
  const server = new Http2Connection({ role: "server" });
  const said: Uint8Array[][] = [[], []];
  const pass = () => {
    const up = client.takeOutgoing() ?? new Uint8Array(0);
    server.receive(up, 0);
    const down = server.takeOutgoing() ?? new Uint8Array(0);
    client.receive(down, 0);
    said[0]!.push(up);
    said[1]!.push(down);
  };
  pass();
  client.request([...GET, LONG]);
  client.send(1, new Uint8Array(40), { endStream: true });
  client.ping(new Uint8Array(8));
  pass();
  server.respond(1, [[":status", "200"], ["content-length", "30"], LONG]);
  server.send(1, new Uint8Array(30), { endStream: true });
  client.request(GET, { endStream: true });
  pass();
  pass();
  return said.map((parts) => concat(...parts));
}

function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  const at = () => Math.floor(random() * bytes.length);
  const copy = bytes.slice();
  for (let i = 0; i < 1 + random() * 3; i++) {
    const kind = Math.floor(random() * 4);
    if (kind === 0) copy[at()]! ^= 1 << Math.floor(random() * 8);
    else if (kind === 1) copy[at()] = Math.floor(random() * 256);
    else if (kind === 2) copy.copyWithin(at(), at(), at());
    else return copy.subarray(0, at());
  }
  return copy;
}

/** mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}
