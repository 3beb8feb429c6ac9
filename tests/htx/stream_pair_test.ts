import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import {
  type Connection,
  MemoryNetwork,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { Http2Connection, type Setting } from "../../src/http2/mod.ts";
import {
  ClientStreamPair,
  ServerStreamPair,
} from "../../src/htx/stream_pair.ts";
import { overlay } from "./_world.ts";

const GET = [
  [":method", "GET"],
  [":authority", "example.org"],
  [":scheme", "https"],
  [":path", "/"],
] as const;
const POST = [[":method", "POST"], ...GET.slice(1)] as const;
const PRIORITY = { exclusive: true, dependency: 1, weight: 220 };

interface Pair extends AsyncDisposable {
  readonly client: ClientStreamPair;
  readonly server: ServerStreamPair;
  readonly clock: VirtualClock;
  /** The server's end of HTTP/2 and of what it runs over. */
  readonly http2: Http2Connection;
  readonly raw: Connection;
}

/** Two ends whose uplink stands. */
async function pair(settings: readonly Setting[] = []): Promise<Pair> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork();
  const listener = await network.transport("s").listen("memory://s");
  const dialled = await network.transport("c").dial("memory://s");
  const [raw] = await Promise.all([first(listener)]);
  listener.close();
  const http2 = new Http2Connection({ role: "client", settings });
  const downlink = http2.request(GET, { endStream: true });
  const other = new Http2Connection({ role: "server", settings });
  other.receive(http2.takeOutgoing()!, 0);
  other.respond(downlink, [[":status", "200"]]);
  const base = { downlink, clock, crypto };
  const server = new ServerStreamPair({
    ...base,
    connection: raw!,
    http2: other,
  });
  await raw!.write(other.takeOutgoing()!);
  const client = new ClientStreamPair({ ...base, connection: dialled, http2 });
  assertEquals(await client.answer(), [[":status", "200"]]);
  await client.openUplink(POST, { priority: PRIORITY });
  return {
    client,
    server,
    clock,
    http2: other,
    raw: raw!,
    async [Symbol.asyncDispose]() {
      client.close();
      server.close();
      await Promise.all([client.closed, server.closed]);
    },
  };
}

Deno.test("a stream pair carries bytes, and each end of its sides", async () => {
  await using ends = await pair();
  const { client, server } = ends;
  await client.write(Uint8Array.of(1, 2, 3));
  assertEquals(await read(server, 2), [1, 2]);
  assertEquals(await read(server, 2), [3]);
  await client.closeWrite();
  assertEquals(await read(server, 2), null);
  await server.write(Uint8Array.of(4));
  await server.closeWrite();
  assertEquals(await read(client, 2), [4]);
  assertEquals(await read(client, 2), null);
  await Promise.all([client.closed, server.closed]);
});

Deno.test("a writer waits for the window of HTTP/2, 4 MiB for an uplink, and goes on once it is granted", async () => {
  await using ends = await pair([[4, 1_000]]);
  const { client, server } = ends;
  await client.write(new Uint8Array(1 << 22).fill(7));
  const written = client.write(new Uint8Array(2_500).fill(7));
  let done = false;
  void written.then(() => done = true);
  await ends.clock.run(1_000);
  assertEquals(done, false);
  let length = 0;
  while (length < (1 << 22) + 2_500) {
    const bytes = (await read(server, 100_000))!;
    assert(bytes.every((byte) => byte === 7));
    length += bytes.length;
  }
  await written;
  assertEquals(length, (1 << 22) + 2_500);
});

Deno.test("a stream pair breaks with its streams, with HTTP/2 and with what is below", async () => {
  const faults: ((ends: Pair) => unknown)[] = [
    ({ http2, raw }) => {
      http2.reset(1);
      return raw.write(http2.takeOutgoing()!);
    },
    ({ http2, raw }) => {
      http2.reset(3);
      return raw.write(http2.takeOutgoing()!);
    },
    ({ raw }) => raw.write(new Uint8Array(9).fill(0xff)),
    ({ raw }) => raw.close(),
  ];
  const codes: string[] = [];
  for (const fault of faults) {
    await using ends = await pair();
    await ends.client.write(Uint8Array.of(1));
    await read(ends.server, 1);
    const reading = assertRejects(() => read(ends.client, 1), TransportError);
    await fault(ends);
    codes.push((await reading).code);
    const error = await assertRejects(() =>
      ends.client.write(new Uint8Array(1))
    );
    assert(error instanceof TransportError);
  }
  assertEquals(codes, ["reset", "reset", "malformed", "reset"]);
});

Deno.test("a write that waits for the window fails with the end of the connection, reads give what had come", async () => {
  await using ends = await pair([[4, 1_000]]);
  const { client, server, http2, raw } = ends;
  await client.write(Uint8Array.of(1));
  await read(server, 1);
  const written = assertRejects(
    () => client.write(new Uint8Array(2 ** 23)),
    TransportError,
  );
  http2.send(1, Uint8Array.of(7), { endStream: true });
  await raw.write(http2.takeOutgoing()!);
  await raw.closeWrite();
  assertEquals((await written).code, "reset");
  assertEquals(await read(client, 2), [7]);
  assertEquals(await read(client, 2), null);
});

Deno.test("a window full of short DATA takes little memory", async () => {
  await using ends = await pair();
  const { client, server } = ends;
  const before = memory();
  const count = 40_000;
  for (let i = 0; i < count; i++) {
    await client.write(new Uint8Array(16).fill(i));
  }
  let length = (await read(server, 1))!.length;
  // An object for each is 14 MB and more.
  const grown = memory() - before;
  assert(grown < 10 * 2 ** 20, `${grown} bytes`);
  while (length < 16 * count) length += (await read(server, 100_000))!.length;
});

Deno.test("a server refuses further requests on the connection of a pair", async () => {
  const answers: string[] = [];
  const clock = new VirtualClock();
  const network = new MemoryNetwork();
  const listener = await network.transport("s").listen("memory://s");
  const raw = await network.transport("c").dial("memory://s");
  const connection = (await first(listener))!;
  listener.close();
  const client = new Http2Connection({ role: "client" });
  const server = new Http2Connection({ role: "server" });
  client.request(GET, { endStream: true });
  server.receive(client.takeOutgoing()!, 0);
  server.respond(1, [[":status", "200"]]);
  await using pair = new ServerStreamPair({
    connection,
    http2: server,
    downlink: 1,
    clock,
    crypto,
  });
  for (const fields of [POST, POST, GET]) client.request(fields);
  await raw.write(client.takeOutgoing()!);
  const buffer = new Uint8Array(1_024);
  while (answers.length < 2) {
    const length = await raw.read(buffer);
    for (const event of client.receive(buffer.subarray(0, length!), 0)) {
      if (event.type === "reset") {
        answers.push(`${event.streamId} ${event.code}`);
      }
    }
  }
  assertEquals(answers, ["5 refusedStream", "7 refusedStream"]);
  assertEquals(pair.localAddress, connection.localAddress);
  raw.close();
});

Deno.test("a pair breaks if the peer keeps it busy, or asks for answers that it does not read", async () => {
  for (const [rounds, code] of [[1, "malformed"], [40, "limit"]] as const) {
    const clock = new VirtualClock();
    const network = new MemoryNetwork();
    const listener = await network.transport("s").listen("memory://s");
    const raw = await network.transport("c").dial("memory://s");
    const connection = (await first(listener))!;
    listener.close();
    const client = new Http2Connection({ role: "client" });
    const server = new Http2Connection({ role: "server" });
    client.request(GET, { endStream: true });
    server.receive(client.takeOutgoing()!, 0);
    await using pair = new ServerStreamPair({
      connection: overlay(connection, { write: () => new Promise(() => {}) }),
      http2: server,
      downlink: 1,
      clock,
      crypto,
    });
    const reading = assertRejects(() => read(pair, 1), TransportError);
    for (let round = 0; round < rounds; round++) {
      const pings = rounds === 1 ? 1_001 : 999;
      for (let i = 0; i < pings; i++) client.ping(new Uint8Array(8));
      await raw.write(client.takeOutgoing()!).catch(() => {}); // broken by then
      await clock.run(31_000);
    }
    assertEquals((await reading).code, code);
    raw.close();
  }
});

async function first(
  listener: AsyncIterable<Connection>,
): Promise<Connection | undefined> {
  for await (const connection of listener) return connection;
}

async function read(
  connection: Connection,
  length: number,
): Promise<number[] | null> {
  const buffer = new Uint8Array(length);
  const read = await connection.read(buffer);
  return read === null ? null : [...buffer.subarray(0, read)];
}

function memory(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
