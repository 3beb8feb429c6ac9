import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { concat, Writer } from "../../src/core/bytes/mod.ts";
import { encodeHello } from "../../src/betanet_cla/hello.ts";
import type { HtxLayerOptions } from "../../src/betanet_cla/htx_layer.ts";
import { type Contact, ContactError } from "../../src/dtn/mod.ts";
import type { Session, Stream } from "../../src/htx/mod.ts";
import { until } from "../htx/_world.ts";
import { HtxWorld, SERVER } from "./_htx_world.ts";

const HELLO = encodeHello({
  nodeId: "dtn://raw/",
  receiving: { maxCount: 10, maxBytes: 1_000_000 },
  maxBundleBytes: 1_000_000,
  takesDatagrams: false,
});

/** A layer that listens, and a raw session whose control stream has said `hello`. */
async function rawPair(options: Partial<HtxLayerOptions> = {}, hello = HELLO) {
  const clock = new VirtualClock();
  const world = new HtxWorld(clock);
  const layer = world.layer({ nodeId: "dtn://far/", ...options });
  const listener = await layer.listen(SERVER);
  const contacts = listener[Symbol.asyncIterator]();
  const session = await world.dial();
  const control = await session.open();
  await control.write(hello);
  return {
    clock,
    world,
    layer,
    session,
    control,
    contact: async () => (await contacts.next()).value as Contact,
    async [Symbol.asyncDispose]() {
      const ending = session.close();
      await clock.run(10_000);
      await ending;
      listener.close();
    },
  };
}

Deno.test("a peer that says no hello gets no contact, and its session is closed", async () => {
  const cut = HELLO.slice();
  cut[0] = 9;
  for (const hello of [cut, new Uint8Array(24), concat(HELLO, HELLO)]) {
    await using pair = await rawPair({}, hello);
    const { error } = await pair.session.closed;
    assertEquals(error, undefined);
  }
});

Deno.test("a peer that is silent after opening is left after the time to open", async () => {
  await using pair = await rawPair({}, HELLO.subarray(0, 23));
  await pair.clock.run(11_000);
  await pair.session.closed;
});

Deno.test("what follows a hello is a violation", async () => {
  await using pair = await rawPair();
  const contact = await pair.contact();
  assertEquals(contact.peerNodeId, "dtn://raw/");
  await pair.control.write(new Uint8Array([0]));
  await contact.closed;
  await assertCode("violation", contact);
});

Deno.test("of streams without end as many are taken as we said, the others are refused, and the rest goes on", async () => {
  await using pair = await rawPair({
    receiving: { maxCount: 4, maxBytes: 99 },
  });
  const contact = await pair.contact();
  const streams: Stream[] = [];
  for (let i = 0; i < 500; i++) {
    const stream = await pair.session.open();
    await stream.write(new Uint8Array([0, 0, 0]));
    streams.push(stream);
  }
  await until(() => contact.counts.refusedByLayer === 496);
  await until(() =>
    streams.filter((s) => s.resetCode === 0x102).length === 496
  );
  assertEquals(streams.map((s) => s.resetCode).indexOf(0x102), 4);
  streams[0]!.close();
  await pair.session.ping();
  const received = contact.received[Symbol.asyncIterator]();
  const [answer, { value }] = await Promise.all([
    raw(pair.session, 3, new Uint8Array(3)),
    received.next().then((next) => (next.value.accept(), next)),
  ]);
  assertEquals(answer, [0]);
  assertEquals(value.bytes.length, 3);
});

Deno.test("a bundle of 100 GB, of more than was announced, or of less, is refused, and costs nothing", async () => {
  await using pair = await rawPair({ maxHeldBytes: 50_000 });
  const contact = await pair.contact();
  assertEquals(
    await raw(pair.session, 100 * 2 ** 30, new Uint8Array(9)),
    0x104,
  );
  assertEquals(await raw(pair.session, 8, new Uint8Array(9)), 0x104);
  assertEquals(await raw(pair.session, 10, new Uint8Array(9)), 0x104);
  assertEquals(await raw(pair.session, 60_000, new Uint8Array(60_000)), 0x102);
  assertEquals(contact.counts.refusedByLayer, 4);
  const received = contact.received[Symbol.asyncIterator]();
  const [answer] = await Promise.all([
    raw(pair.session, 50_000, new Uint8Array(50_000)),
    received.next().then(({ value }) => value.refuse("notAcceptable")),
  ]);
  assertEquals(answer, [4], "the room is free again");
});

Deno.test("bundles beyond the window that the peer was told are refused", async () => {
  const receiving = { maxCount: 10, maxBytes: 1_000 };
  await using pair = await rawPair({ receiving });
  const contact = await pair.contact();
  const first = raw(pair.session, 900, new Uint8Array(900));
  const { value } = await contact.received[Symbol.asyncIterator]().next();
  assertEquals(await raw(pair.session, 200, new Uint8Array(200)), 0x102);
  value.accept();
  assertEquals(await first, [0]);
});

Deno.test("an answer that is none, or a reset without a reason, ends the contact", async () => {
  const answers: [number[], string][] = [
    [[7], "violation"],
    [[0, 0], "violation"],
    [[], "violation"],
    [[0], "acknowledged"],
    [[3], "retransmit"],
  ];
  for (const [answer, expected] of answers) {
    await using pair = await rawPair();
    const contact = await pair.contact();
    const sending = contact.send(new Uint8Array(5));
    const stream = await pair.session.accept();
    await stream!.write(new Uint8Array(answer));
    await stream!.closeWrite();
    assertEquals(await outcomeOf(sending), expected);
  }
  await using pair = await rawPair();
  const contact = await pair.contact();
  const sending = contact.send(new Uint8Array(5));
  (await pair.session.accept())!.close();
  assertEquals(await outcomeOf(sending), "disconnected");
  await contact.closed;
});

Deno.test("a peer with which nothing moves while a bundle comes is left", async () => {
  await using pair = await rawPair({ stallTimeoutMs: 5_000 });
  const contact = await pair.contact();
  const stream = await pair.session.open();
  await stream.write(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 9, 1]));
  await until(() => contact.counts.bytesIn > HELLO.length);
  await pair.clock.run(10_000);
  await contact.closed;
  await assertCode("timeout", contact);
});

Deno.test("a peer that takes no leave is left after the time to end", async () => {
  await using pair = await rawPair({ endTimeoutMs: 5_000 });
  const contact = await pair.contact();
  const ending = contact.end();
  await pair.clock.run(8_000);
  await ending;
});

Deno.test("a session that breaks frees what it held, loses nothing acknowledged, and the next contact goes on", async () => {
  const world = new HtxWorld();
  const receiving = { maxCount: 100, maxBytes: 100_000 };
  const far = world.layer({
    nodeId: "dtn://far/",
    receiving,
    maxHeldBytes: 120_000,
  });
  const near = world.layer();
  await using listener = await far.listen(SERVER);
  const contacts = listener[Symbol.asyncIterator]();
  const stored = new Set<number>();
  const acknowledged = new Set<number>();
  const waiting = new Set(Array.from({ length: 200 }, (_, i) => i));
  for (let contact = 0; waiting.size > 0; contact++) {
    assertLess(contact, 20);
    await using dialled = await near.dial(SERVER);
    await using taken = (await contacts.next()).value as Contact;
    void (async () => {
      for await (const received of taken.received) {
        stored.add(new DataView(received.bytes.buffer).getUint32(0));
        received.accept();
      }
    })();
    await Promise.allSettled([...waiting].map(async (i) => {
      assertEquals(await dialled.send(numbered(i)), { kind: "acknowledged" });
      acknowledged.add(i);
      waiting.delete(i);
      if (acknowledged.size % 50 === 0) {
        await world.dialled.at(-1)!.close({ code: 8 });
      }
    }));
    assertEquals([...acknowledged.difference(stored)], []);
  }
  assertEquals(stored.size, 200);
  assertEquals(world.dialled.length, 4, "a contact for every 50");
});

/** Sends a bundle as `length` says, and gives the bytes of the answer or the code of the reset. */
async function raw(
  session: Session,
  length: number,
  bundle: Uint8Array,
): Promise<number[] | number | undefined> {
  const stream = await session.open();
  const answer: number[] = [];
  try {
    const head = new Writer(8).u64(BigInt(length)).finish();
    await stream.write(concat(head, bundle));
    await stream.closeWrite();
    const buffer = new Uint8Array(1);
    while (await stream.read(buffer) !== null) answer.push(buffer[0]!);
    return answer;
  } catch {
    return stream.resetCode;
  }
}

async function outcomeOf(
  sending: ReturnType<Contact["send"]>,
): Promise<string> {
  try {
    const outcome = await sending;
    return outcome.kind === "refused" ? outcome.reason : outcome.kind;
  } catch (error) {
    assert(error instanceof ContactError);
    return error.code;
  }
}

async function assertCode(code: string, contact: Contact): Promise<void> {
  const error = await assertRejects(
    () => contact.send(new Uint8Array(1)),
    ContactError,
  );
  assertEquals(error.code, code);
}

function numbered(i: number): Uint8Array {
  const bytes = new Uint8Array(3_000);
  new DataView(bytes.buffer).setUint32(0, i);
  return bytes;
}
