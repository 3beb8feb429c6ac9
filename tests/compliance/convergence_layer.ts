import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { type Bytes, encodeHex, equal } from "../../src/core/bytes/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import {
  ContactError,
  type ContactErrorCode,
} from "../../src/dtn/cla/contact_error.ts";
import type {
  Contact,
  ConvergenceLayer,
  ReceivedBundle,
} from "../../src/dtn/cla/convergence_layer.ts";

/** What the suite needs to know about one convergence layer. */
export interface LayerUnderTest {
  readonly dialer: ConvergenceLayer;
  readonly listener: ConvergenceLayer;
  /** Where to listen; the system chooses the rest. */
  readonly listenAt: Address;
  /** Where nobody listens; absent where that cannot be told. */
  readonly unreachable?: Address;
  /** Whether only the dialer sends. */
  readonly isOneWay?: boolean;
  /** Whether the peer says what it did with a bundle. */
  readonly acknowledges: boolean;
  /** Whether bundles that nobody takes stay at the sender, rather than get lost. */
  readonly holdsBack: boolean;
  /** Whether a bundle may overtake another. */
  readonly reorders?: boolean;
  /** How many bundles "hundreds" are: fewer where each takes much work; 600 by default, 40 where nothing holds the sender back. */
  readonly manyBundles?: number;
  /** The largest bundle that crosses, in bytes; absent if all of the suite's do. */
  readonly maxBundleBytes?: number;
  /** Bytes that may be on their way to a node that takes none. */
  readonly maxBufferedBytes: number;
}

/** Runs the tests that every convergence layer must pass. */
export function testConvergenceLayer(
  name: string,
  makeLayer: () => LayerUnderTest,
): void {
  const test = (
    what: string,
    fn: (t: LayerUnderTest) => Promise<void>,
    applies: (t: LayerUnderTest) => boolean = () => true,
  ) => {
    if (!applies(makeLayer())) return;
    Deno.test(`${name}: ${what}`, async () => await fn(makeLayer()));
  };

  for (const size of [0, 1, 65_000, 65_536, 1_048_576]) {
    test(`a bundle of ${size} bytes crosses each way`, async (t) => {
      await using pair = await connect(t);
      for (const [from, to] of waysOf(t, pair)) {
        const sent = bundle(size, size);
        const [outcome, received] = await Promise.all([
          from.send(sent),
          take(to),
        ]);
        assertEquals(received, sent);
        assertEquals(
          outcome.kind,
          t.acknowledges ? "acknowledged" : "handedOver",
        );
      }
    }, ({ maxBundleBytes = Infinity }) => size <= maxBundleBytes);
  }

  test("hundreds in flight cross both ways, each once", async (t) => {
    await using pair = await connect(t);
    const { near, far } = pair;
    const n = t.manyBundles ?? (t.holdsBack ? 600 : 40);
    const before = {
      sent: near.counts.sent,
      received: far.counts.received,
    };
    const sent = Array.from({ length: n }, (_, i) => bundle(i * 37 % 5_000, i));
    const ways = waysOf(t, pair);
    const taken = ways.map(([, to]) => takeMany(to, n));
    await Promise.all(
      sent.flatMap((each) => ways.map(([from]) => from.send(each))),
    );
    const order = (bundles: Bytes[]) =>
      t.reorders ? bundles.map((each) => encodeHex(each)).sort() : bundles;
    for (const each of await Promise.all(taken)) {
      assertEquals(order(each), order(sent), "in order, if the layer keeps it");
    }
    assertEquals(near.counts.sent - before.sent, n);
    assertEquals(far.counts.received - before.received, n);
  });

  test("a bundle is acknowledged once the node has accepted it", async (t) => {
    await using pair = await connect(t);
    const { near, far } = pair;
    let acknowledged = 0;
    const sending = [1, 2].map(async (i) => {
      await near.send(bundle(10, i));
      acknowledged++;
    });
    const [first, second] = await both(far, bundle(10, 1));
    await settled();
    assertEquals(acknowledged, 0);
    first.accept();
    first.refuse("notAcceptable");
    await sending[0];
    await settled();
    assertEquals(acknowledged, 1);
    second.accept();
    await sending[1];
  }, (t) => t.acknowledges);

  test("the node's refusal and its reason reach the sender", async (t) => {
    await using pair = await connect(t);
    const { near, far } = pair;
    const sending = [near.send(bundle(5, 1)), near.send(bundle(5, 2))];
    const [first, second] = await both(far, bundle(5, 1));
    second.refuse("noResources");
    first.accept();
    assertEquals(await Promise.all(sending), [
      { kind: "acknowledged" },
      { kind: "refused", reason: "noResources" },
    ]);
    assertEquals(near.counts.refusedByPeer, 1);
    assertEquals(far.counts.refusedByNode, 1);
  }, (t) => t.acknowledges);

  test(
    "a node that takes nothing holds the sender back, and gets all later",
    async (t) => {
      await using pair = await connect(t);
      const { near, far } = pair;
      const size = 65_536;
      const total = Math.ceil(t.maxBufferedBytes / size) * 2;
      const one = bundle(size, 1);
      let sent = 0;
      const sending = Array.from({ length: total }, async () => {
        await near.send(one);
        sent++;
      });
      await stalled(() => far.counts.bytesIn);
      assertLess(sent * size, t.maxBufferedBytes);
      assertLess(far.counts.bytesIn, t.maxBufferedBytes);
      assertEquals((await takeMany(far, total)).length, total);
      await Promise.all(sending);
    },
    (t) => t.holdsBack,
  );

  test("an aborted send rejects with the reason, and nothing of it leaves", async (t) => {
    await using pair = await connect(t);
    const { near, far } = pair;
    const reason = new Error("Enough");
    const aborted = { signal: AbortSignal.abort(reason) };
    assertStrictEquals(
      await near.send(bundle(9, 1), aborted).catch((error) => error),
      reason,
    );
    const controller = new AbortController();
    const { signal } = controller;
    const sending = near.send(bundle(9, 2), { signal }).catch((error) => error);
    if (t.holdsBack) {
      controller.abort(reason);
      assertStrictEquals(await sending, reason);
    } else {
      await sending;
      controller.abort(reason);
      assertEquals(await take(far), bundle(9, 2));
    }
    const [received] = await Promise.all([
      take(far),
      near.send(bundle(9, 3)),
    ]);
    assertEquals(received, bundle(9, 3));
  });

  test(
    "of a contact that breaks, all that was acknowledged was accepted",
    async (t) => {
      await using pair = await connect(t);
      const { near, far } = pair;
      const acknowledged = new Set<number>();
      const sending = Array.from({ length: 300 }, async (_, i) => {
        const { kind } = await near.send(numbered(i));
        if (kind === "acknowledged") acknowledged.add(i);
      });
      const accepted = new Set<number>();
      for await (const received of far.received) {
        accepted.add(numberOf(received.bytes));
        received.accept();
        if (accepted.size === 100) far.close();
      }
      const results = await Promise.allSettled(sending);
      await Promise.all([near.closed, far.closed]);
      for (const result of results) {
        if (result.status === "fulfilled") continue;
        assert(result.reason instanceof ContactError);
      }
      assert(accepted.size >= 100);
      assertEquals([...acknowledged.difference(accepted)], []);
      assertLess(acknowledged.size, 300);
    },
    (t) => t.acknowledges,
  );

  test(
    "end() lets what is under way come to its outcome, and ends both sides",
    async (t) => {
      await using pair = await connect(t);
      const { near, far } = pair;
      const ways = waysOf(t, pair);
      const sending = ways.map(([from], i) => from.send(bundle(70_000, i)));
      const came = await Promise.all(
        ways.map(([, to]) => to.received[Symbol.asyncIterator]().next()),
      );
      for (const [i, { value }] of came.entries()) {
        assertEquals(value.bytes, bundle(70_000, i));
      }
      const ending = near.end();
      await settled();
      for (const { value } of came) value.accept();
      const kind = t.acknowledges ? "acknowledged" : "handedOver";
      assertEquals(
        await Promise.all<unknown>(sending),
        ways.map(() => ({ kind })),
      );
      await ending;
      await far.closed;
      await assertCode("closed", () => near.send(bundle(1, 1)));
      await near.end();
    },
    (t) => t.holdsBack,
  );

  test(
    "close() fails what is under way, and ends the bundles of both",
    async (t) => {
      await using pair = await connect(t);
      const { near, far } = pair;
      const sending = assertRejects(
        () => near.send(bundle(9, 1)),
        ContactError,
      );
      await settled();
      near.close();
      near.close();
      await sending;
      await near.closed;
      assertEquals(await takeAll(near), []);
      await assertCode("closed", () => near.send(bundle(1, 1)));
      await far.closed;
      await takeAll(far);
    },
    (t) => t.acknowledges,
  );

  test("a bundle that the peer cannot take is tooLarge", async (t) => {
    await using pair = await connect(t);
    const size = pair.near.maxBundleBytes + 1;
    assertLess(size, 2 ** 28, "the suite can make such a bundle");
    await assertCode("tooLarge", () => pair.near.send(new Uint8Array(size)));
    const [received] = await Promise.all([
      take(pair.far),
      pair.near.send(bundle(3, 1)),
    ]);
    assertEquals(received, bundle(3, 1));
  });

  test("20 contacts at once", async (t) => {
    await using listener = await t.listener.listen(t.listenAt);
    const contacts = listener[Symbol.asyncIterator]();
    const lengths = new Set<number>();
    const echoing = (async () => {
      for (let i = 0; i < 20; i++) {
        const { value: far } = await contacts.next();
        void echo(far, ({ length }) => lengths.add(length));
      }
    })();
    await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      await using near = await t.dialer.dial(listener.address);
      const sent = bundle(1_000 + i, i);
      if (t.isOneWay) return await near.send(sent);
      const [back] = await Promise.all([take(near), near.send(sent)]);
      assertEquals(back, sent);
    }));
    await echoing;
    assertEquals(lengths.size, 20);
  });

  test("dial() is unreachable where nobody listens", async (t) => {
    await assertCode("unreachable", () => t.dialer.dial(t.unreachable!));
  }, (t) => t.unreachable !== undefined);

  test("dial() rejects with the reason of its signal", async (t) => {
    await using listener = await t.listener.listen(t.listenAt);
    const reason = new Error("Enough");
    const signal = AbortSignal.abort(reason);
    const failure = await t.dialer.dial(listener.address, { signal })
      .catch((error) => error);
    assertStrictEquals(failure, reason);
  });

  test(
    "a closed listener ends its iteration and spares its contacts",
    async (t) => {
      await using pair = await connect(t);
      pair.listener.close();
      pair.listener.close();
      const [received] = await Promise.all([
        take(pair.far),
        pair.near.send(bundle(4, 1)),
      ]);
      assertEquals(received, bundle(4, 1));
    },
  );
}

async function connect(t: LayerUnderTest) {
  const listener = await t.listener.listen(t.listenAt);
  const contacts = listener[Symbol.asyncIterator]();
  const near = await t.dialer.dial(listener.address);
  if (!t.holdsBack) await near.send(numbered(0));
  const { value: far } = await contacts.next() as { value: Contact };
  if (!t.holdsBack) await take(far);
  return {
    near,
    far,
    listener,
    async [Symbol.asyncDispose]() {
      await near[Symbol.asyncDispose]();
      await far[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}

/** Who sends to whom. */
function waysOf(
  { isOneWay }: LayerUnderTest,
  { near, far }: { readonly near: Contact; readonly far: Contact },
): (readonly [from: Contact, to: Contact])[] {
  return isOneWay ? [[near, far]] : [[near, far], [far, near]];
}

async function echo(
  contact: Contact,
  onBundle: (bytes: Bytes) => void,
): Promise<void> {
  for await (const received of contact.received) {
    received.accept();
    onBundle(received.bytes);
    await contact.send(received.bytes).catch(() => {});
  }
}

async function take(contact: Contact): Promise<Bytes> {
  return (await takeMany(contact, 1))[0]!;
}

async function takeMany(contact: Contact, n: number): Promise<Bytes[]> {
  const taken: Bytes[] = [];
  const received = contact.received[Symbol.asyncIterator]();
  while (taken.length < n) {
    const { value, done } = await received.next();
    assert(!done, `${taken.length} of ${n} bundles came`);
    value.accept();
    taken.push(value.bytes);
  }
  return taken;
}

async function takeAll(contact: Contact): Promise<Bytes[]> {
  const taken: Bytes[] = [];
  for await (const received of contact.received) {
    received.accept();
    taken.push(received.bytes);
  }
  return taken;
}

/** The next two bundles: that of the bytes `first`, and then the other, whichever came before. */
async function both(
  contact: Contact,
  first: Uint8Array,
): Promise<[ReceivedBundle, ReceivedBundle]> {
  const received = contact.received[Symbol.asyncIterator]();
  const one = (await received.next()).value as ReceivedBundle;
  const other = (await received.next()).value as ReceivedBundle;
  return equal(one.bytes, first) ? [one, other] : [other, one];
}

function bundle(size: number, seed: number): Bytes {
  const bytes = new Uint8Array(size);
  for (let i = 0, x = seed + 1; i < size; i++) {
    x = x * 1_103_515_245 + 12_345 & 0x7fffffff;
    bytes[i] = x >>> 16;
  }
  return bytes;
}

function numbered(i: number): Bytes {
  const bytes = new Uint8Array(2_000);
  new DataView(bytes.buffer).setUint32(0, i);
  return bytes;
}

function numberOf(bytes: Bytes): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

async function assertCode(
  code: ContactErrorCode,
  fn: () => Promise<unknown>,
): Promise<void> {
  assertEquals((await assertRejects(fn, ContactError)).code, code);
}

/** Lets pass what needs no timer. */
async function settled(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Resolves when `progress` stands still. */
async function stalled(progress: () => number): Promise<void> {
  let before;
  do {
    before = progress();
    await settled(200);
  } while (progress() !== before);
}
