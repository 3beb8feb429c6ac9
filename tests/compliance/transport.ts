import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import type {
  Address,
  Connection,
  Listener,
  Transport,
  TransportErrorCode,
} from "../../src/core/transport/mod.ts";
import { TransportError } from "../../src/core/transport/mod.ts";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";

/** What the suite needs to know about one transport. */
export interface TransportUnderTest {
  /** Dials; `listener` of another host, where the transport has hosts. */
  readonly dialer: Transport;
  readonly listener: Transport;
  /** Where to listen; the system chooses the rest. */
  readonly listenAt: Address;
  /** Where nobody listens. */
  readonly unreachable: Address;
  /** Bytes that writing may run ahead of a reader that stopped. */
  readonly maxBufferedBytes: number;
}

/** Runs the tests that every transport must pass. */
export function testTransport(
  name: string,
  makeTransport: () => TransportUnderTest | Promise<TransportUnderTest>,
): void {
  const test = (what: string, fn: (t: TransportUnderTest) => Promise<void>) =>
    Deno.test(`${name}: ${what}`, async () => await fn(await makeTransport()));

  for (const size of [0, 1, 1000, 65_537, 4_194_304]) {
    test(`${size} bytes cross both ways at once`, async (t) => {
      await using pair = await connect(t);
      const { near, far } = pair;
      const sent = [pseudoRandom(size, 1), pseudoRandom(size, 2)] as const;
      const received = await Promise.all([
        readAll(near, 3),
        readAll(far, 4),
        writeAll(near, sent[0], 5),
        writeAll(far, sent[1], 6),
      ]);
      assertSame(received[0], sent[1]);
      assertSame(received[1], sent[0]);
      await Promise.all([near.closed, far.closed]);
    });
  }

  test("either side may end first and still read", async (t) => {
    for (const swap of [false, true]) {
      await using pair = await connect(t);
      const [a, b] = swap ? [pair.far, pair.near] : [pair.near, pair.far];
      await a.write(new Uint8Array([1]));
      await a.closeWrite();
      assertEquals(await readAll(b), new Uint8Array([1]));
      assertEquals(await b.read(new Uint8Array(1)), null);
      await b.write(new Uint8Array([2, 3]));
      assertEquals(await readExactly(a, 2), new Uint8Array([2, 3]));
      await b.closeWrite();
      assertEquals(await a.read(new Uint8Array(1)), null);
      await Promise.all([a.closed, b.closed]);
      assertEquals(await a.read(new Uint8Array(1)), null);
    }
  });

  test("close() ends the peer's read and fails its writes", async (t) => {
    for (const swap of [false, true]) {
      await using pair = await connect(t);
      const [a, b] = swap ? [pair.far, pair.near] : [pair.near, pair.far];
      a.close();
      a.close();
      await a.closed;
      assertEquals(await endOf(b), "reset");
      await assertCode("reset", async () => {
        for (;;) await b.write(new Uint8Array(65_536));
      });
    }
  });

  test("close() fails a pending read, and later reads and writes", async (t) => {
    await using pair = await connect(t);
    const { near } = pair;
    const pending = assertCode("closed", () => near.read(new Uint8Array(1)));
    near.close();
    await pending;
    await assertCode("closed", () => near.read(new Uint8Array(1)));
    await assertCode("closed", () => near.write(new Uint8Array(1)));
    await near.closeWrite();
    await near.closed;
  });

  test("close() fails a write that waits", async (t) => {
    await using pair = await connect(t);
    const { near } = pair;
    const pending = assertCode("closed", () => fill(near, () => {}));
    await stalled(() => 0);
    near.close();
    await pending;
  });

  test("write() after closeWrite() throws closed", async (t) => {
    await using pair = await connect(t);
    await pair.near.closeWrite();
    await pair.near.closeWrite();
    await assertCode("closed", () => pair.near.write(new Uint8Array(1)));
  });

  test("overlapping reads, overlapping writes and empty buffers are refused", async (t) => {
    await using pair = await connect(t);
    const { near } = pair;
    await assertRejects(() => near.read(new Uint8Array()), RangeError);
    const read = assertCode("closed", () => near.read(new Uint8Array(1)));
    await assertRejects(() => near.read(new Uint8Array(1)), TypeError);
    const write = near.write(new Uint8Array(100));
    await assertRejects(() => near.write(new Uint8Array(1)), TypeError);
    await write;
    near.close();
    await read;
  });

  test("write() waits for a reader that stopped", async (t) => {
    await using pair = await connect(t);
    const { near, far } = pair;
    let written = 0;
    const filling = assertCode("closed", () => fill(near, (n) => written += n));
    await stalled(() => written);
    const before = written;
    assertLess(before, t.maxBufferedBytes + 1);
    let read = 0;
    const buffer = new Uint8Array(262_144);
    while (read < before + 1_000_000) read += (await far.read(buffer))!;
    await stalled(() => written);
    assert(written > before, "writing goes on when reading does");
    assertLess(written - read, t.maxBufferedBytes + 1);
    near.close();
    await filling;
  });

  test("100 connections at once", async (t) => {
    await using listener = await t.listener.listen(t.listenAt);
    const accepted = takeFrom(listener, 100, async (connection) => {
      await using far = connection;
      await writeAll(far, await readAll(far));
    });
    await Promise.all(Array.from({ length: 100 }, async (_, i) => {
      await using near = await t.dialer.dial(listener.address);
      const sent = pseudoRandom(1000, i);
      await writeAll(near, sent);
      assertSame(await readAll(near), sent);
    }));
    await accepted;
  });

  test("addresses match and dial back", async (t) => {
    await using listener = await t.listener.listen(t.listenAt);
    await using pair = await connect(t, listener);
    const { near, far } = pair;
    assertEquals(near.remoteAddress, listener.address);
    assertEquals(far.localAddress, listener.address);
    const port = (address: Address) => address.match(/:([0-9]+)/)![1];
    assertEquals(port(near.localAddress), port(far.remoteAddress));
    assert(listener.address.startsWith(`${t.listener.scheme}://`));
  });

  test("dial() rejects with the reason of its signal", async (t) => {
    await using listener = await t.listener.listen(t.listenAt);
    const reason = new Error("Enough");
    const aborted = AbortSignal.abort(reason);
    assertStrictEquals(
      await t.dialer.dial(listener.address, { signal: aborted }).catch((e) =>
        e
      ),
      reason,
    );
    const controller = new AbortController();
    const { signal } = controller;
    const dialing = t.dialer.dial(listener.address, { signal });
    controller.abort(reason);
    assertStrictEquals(await dialing.catch((error) => error), reason);
  });

  test("dial() throws unreachable where nobody listens", async (t) => {
    await assertCode("unreachable", () => t.dialer.dial(t.unreachable));
  });

  test("listen() throws in_use where somebody listens", async (t) => {
    await using listener = await t.listener.listen(t.listenAt);
    await assertCode("in_use", () => t.listener.listen(listener.address));
  });

  test("addresses of another form are a TypeError", async (t) => {
    for (const address of ["", "nowhere", `${t.dialer.scheme}:/x`]) {
      await assertRejects(() => t.dialer.dial(address), TypeError);
      await assertRejects(() => t.listener.listen(address), TypeError);
    }
  });

  test("a closed listener ends its iteration and spares its connections", async (t) => {
    await using listener = await t.listener.listen(t.listenAt);
    const iterator = listener[Symbol.asyncIterator]();
    const [near, { value: far }] = await Promise.all([
      t.dialer.dial(listener.address),
      iterator.next(),
    ]);
    const next = iterator.next();
    listener.close();
    listener.close();
    assertEquals((await next).done, true);
    await near.write(new Uint8Array([7]));
    assertEquals(await readExactly(far, 1), new Uint8Array([7]));
    near.close();
    far.close();
    await Promise.all([near.closed, far.closed]);
    await assertCode("unreachable", () => t.dialer.dial(listener.address));
  });

  test("the stream views carry bytes and ends both ways", async (t) => {
    await using pair = await connect(t);
    const { near, far } = pair;
    const echo = far.readable.pipeTo(far.writable);
    const sent = pseudoRandom(300_000, 9);
    const [received] = await Promise.all([
      new Response(near.readable).bytes(),
      new Response(sent).body!.pipeTo(near.writable),
    ]);
    assertSame(received, sent);
    await echo;
    await Promise.all([near.closed, far.closed]);
  });

  test("cancelling the readable view and ending our side close the connection", async (t) => {
    await using pair = await connect(t);
    const { near } = pair;
    await near.readable.cancel();
    await assertCode("closed", () => near.read(new Uint8Array(1)));
    await near.write(new Uint8Array(1));
    await near.writable.close();
    await near.closed;
  });

  test("aborting the writable view closes the connection", async (t) => {
    await using pair = await connect(t);
    await pair.near.writable.abort();
    await pair.near.closed;
    await assertCode("closed", () => pair.near.read(new Uint8Array(1)));
  });

  test("datagrams arrive, are bounded in size and number, and end with the connection", async (t) => {
    await using pair = await connect(t);
    const near = pair.near.datagrams;
    const far = pair.far.datagrams;
    if (!near || !far) return;
    const longest = pseudoRandom(near.maxSize, 1);
    assert(near.maxSize >= 1000);
    await near.send(longest);
    assertSame((await far.receive())!, longest);
    await assertRejects(
      async () => await near.send(new Uint8Array(near.maxSize + 1)),
      RangeError,
    );
    const waiting = far.receive(AbortSignal.abort(new Error("Enough")));
    await assertRejects(() => waiting, Error, "Enough");
    const end = near.receive();
    pair.near.close();
    assertEquals(await end, null);
    await near.send(longest);
    pair.far.close();
    assertEquals(await far.receive(), null);
  });
}

/** Two connected ends; `near` dialed. */
export interface ConnectedPair extends AsyncDisposable {
  readonly near: Connection;
  readonly far: Connection;
}

/** Dials, and accepts at a listener of its own or at `listening`. */
export async function connect(
  { dialer, listener, listenAt }: TransportUnderTest,
  listening?: Listener,
): Promise<ConnectedPair> {
  const own = listening ? undefined : await listener.listen(listenAt);
  const where = listening ?? own!;
  const iterator = where[Symbol.asyncIterator]();
  const [near, next] = await Promise.all([
    dialer.dial(where.address),
    iterator.next(),
  ]);
  const far: Connection = next.value;
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      await near[Symbol.asyncDispose]();
      await far[Symbol.asyncDispose]();
      await own?.[Symbol.asyncDispose]();
    },
  };
}

/** Reads to the end, in pieces of a size that varies by `seed`. */
export async function readAll(
  connection: Connection,
  seed = 0,
): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  const random = generator(seed);
  for (;;) {
    const buffer = new Uint8Array(1 + Math.floor(random() * 100_000));
    const length = await connection.read(buffer);
    if (length === null) return concat(...parts);
    parts.push(buffer.subarray(0, length));
  }
}

/** Writes all, in pieces of a size that varies by `seed`, and ends our side. */
export async function writeAll(
  connection: Connection,
  bytes: Uint8Array,
  seed = 0,
): Promise<void> {
  const random = generator(seed);
  for (let at = 0; at < bytes.length;) {
    const size = Math.floor(random() * 100_000);
    await connection.write(bytes.subarray(at, at + size));
    at += size;
  }
  await connection.closeWrite();
}

/** Reads exactly `length` bytes. */
export async function readExactly(
  connection: Connection,
  length: number,
): Promise<Bytes> {
  const buffer = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await connection.read(buffer.subarray(at));
    assert(count !== null, `ended after ${at} bytes`);
    at += count;
  }
  return buffer;
}

/** Asserts that `fn` throws a `TransportError` of this code. */
export async function assertCode(
  code: TransportErrorCode,
  fn: () => Promise<unknown>,
): Promise<void> {
  const error = await assertRejects(fn, TransportError);
  assertEquals(error.code, code, error.message);
}

/** Bytes that depend on `seed` only. */
export function pseudoRandom(length: number, seed: number): Bytes {
  const random = generator(seed);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = random() * 256;
  return bytes;
}

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
export function generator(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t ^= t + Math.imul(t ^ t >>> 7, 61 | t);
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}

/** As `assertEquals`, fast for megabytes. */
function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    if (actual[i] !== expected[i]) assertEquals(i, -1, `byte ${i} differs`);
  }
}

/** Reads to the end, and says how it came: TCP cannot tell an abrupt end from a clean one. */
async function endOf(connection: Connection): Promise<TransportErrorCode> {
  try {
    await readAll(connection);
    assert(connection.localAddress.startsWith("tcp:"), "a clean end");
    return "reset";
  } catch (error) {
    if (error instanceof TransportError) return error.code;
    throw error;
  }
}

async function fill(
  connection: Connection,
  onWritten: (byteLength: number) => void,
): Promise<void> {
  const chunk = new Uint8Array(65_536);
  for (;;) {
    await connection.write(chunk);
    onWritten(chunk.length);
  }
}

/** Resolves when the count has stood still for a while: only the kernel knows when its buffers are full. */
async function stalled(count: () => number): Promise<void> {
  for (let before = -1; before !== count();) {
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}

async function takeFrom(
  listener: Listener,
  count: number,
  serve: (connection: Connection) => Promise<void>,
): Promise<void> {
  const serving: Promise<void>[] = [];
  for await (const connection of listener) {
    serving.push(serve(connection));
    if (serving.length === count) break;
  }
  await Promise.all(serving);
}
