import { assert, assertEquals, assertLess } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import type { Bytes } from "../../src/core/bytes/mod.ts";
import type {
  Connection,
  Datagrams,
  MemoryNetworkOptions,
} from "../../src/core/transport/mod.ts";
import { encodeBundle } from "../../src/betanet_cla/datagram.ts";
import { encodeHello } from "../../src/betanet_cla/hello.ts";
import { HAS_ID } from "../../src/betanet_cla/send_bundle.ts";
import type { Contact, SendOutcome } from "../../src/dtn/mod.ts";
import { concat, Writer } from "../../src/core/bytes/mod.ts";
import { overlay, until } from "../htx/_world.ts";
import { HtxWorld, SERVER } from "./_htx_world.ts";

/** Contacts of two layers over a link. */
async function connect(
  link: MemoryNetworkOptions,
  wrap?: (connection: Connection) => Connection,
) {
  const clock = new VirtualClock(0);
  const world = new HtxWorld(clock, link, wrap);
  const listener = await world.layer({ nodeId: "dtn://far/" }).listen(SERVER);
  const contacts = listener[Symbol.asyncIterator]();
  const dialling = world.layer().dial(SERVER);
  const [near, { value }] = await running(
    clock,
    Promise.all([dialling, contacts.next()]),
  );
  const far = value as Contact;
  return {
    clock,
    near,
    far,
    session: world.dialled[0]!,
    async [Symbol.asyncDispose]() {
      near.close();
      await running(clock, Promise.all([near.closed, far.closed]));
      listener.close();
    },
  };
}

/** What `work` gives, while time goes on. */
async function running<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let isDone = false;
  void work.finally(() => isDone = true).catch(() => {});
  for (let i = 0; !isDone && i < 10_000; i++) await clock.run(50);
  return await work;
}

/** Takes what comes, and says how often each bundle did. */
function takingAll(contact: Contact): Map<number, number> {
  const times = new Map<number, number>();
  void (async () => {
    for await (const { bytes, accept } of contact.received) {
      const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      times.set(id, (times.get(id) ?? 0) + 1);
      accept();
    }
  })();
  return times;
}

function numbered(id: number, length: number): Bytes {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, id);
  return bytes;
}

function assertEachOnce(times: Map<number, number>, n: number): void {
  assertEquals(times.size, n);
  assertEquals([...times.values()].filter((each) => each !== 1), []);
}

for (
  const [what, link] of [
    ["nothing is lost", {}],
    ["a third is lost", { loss: 0.33 }],
    ["all comes twice", { duplication: 1 }],
    ["half is overtaken", { reorder: 0.5 }],
    ["all of it happens", { loss: 0.3, duplication: 0.3, reorder: 0.3 }],
  ] as const
) {
  Deno.test(`bundles of all sizes cross both ways by datagram and stream, each once, where ${what}`, async () => {
    let state = 7;
    await using pair = await connect({
      ...{ latencyMs: 20, jitterMs: 10, ...link },
      random: () => (state = state * 48_271 % 0x7fffffff) / 0x7fffffff,
    });
    const { clock, near, far, session } = pair;
    const received = [takingAll(near), takingAll(far)];
    const n = 300;
    const size = (i: number) => i % 10 === 0 ? 5_000 : 4 + i * 7 % 1_100;
    const sending = Array.from({ length: n }, (_, i) => [
      near.send(numbered(i, size(i))),
      far.send(numbered(i, size(i))),
    ]).flat();
    const outcomes = await running(clock, Promise.all(sending));
    assertEquals(new Set(outcomes.map(({ kind }) => kind)).size, 1);
    assertEquals(outcomes[0]!.kind, "acknowledged");
    for (const times of received) assertEachOnce(times, n);
    assertEquals([near.counts.sent, far.counts.received], [n, n]);
    const { sent } = session.datagrams!.stats;
    assert(sent > 100, `${sent} datagrams`);
  });
}

/** `connection`, of whose datagrams those that are sent, or those that come, are lost. */
function losing(what: "send" | "receive") {
  return (connection: Connection) => {
    const datagrams = connection.datagrams!;
    const never = Promise.withResolvers<null>();
    const changes: Partial<Datagrams> = what === "send"
      ? { send: () => Promise.resolve() }
      : { receive: () => never.promise };
    void connection.closed.then(() => never.resolve(null));
    return overlay(connection, { datagrams: overlay(datagrams, changes) });
  };
}

for (const lost of ["send", "receive"] as const) {
  const what = lost === "send" ? "bundles" : "answers";
  Deno.test(`where the ${what} in datagrams are all lost streams carry them, each once`, async () => {
    await using pair = await connect({ latencyMs: 5 }, losing(lost));
    const { clock, near, far } = pair;
    const times = takingAll(far);
    const sending = Array.from(
      { length: 50 },
      (_, i) => near.send(numbered(i, 100)),
    );
    const outcomes = await running(clock, Promise.all(sending));
    assertEquals(outcomes.filter((o) => o.kind !== "acknowledged"), []);
    assertEachOnce(times, 50);
    assertLess(clock.now(), 20_000);
  });
}

Deno.test("a bundle that came by datagram and again on a stream waits there for the node's decision", async () => {
  await using pair = await connect({}, losing("receive"));
  const { clock, near, far } = pair;
  const sending = near.send(numbered(1, 100));
  let outcome: SendOutcome | undefined;
  void sending.then((each) => outcome = each);
  const { value } = await far.received[Symbol.asyncIterator]().next();
  await clock.run(30_000);
  assertEquals(outcome, undefined);
  value.refuse("noResources");
  assertEquals(await running(clock, sending), {
    kind: "refused",
    reason: "noResources",
  });
  assertEquals([far.counts.received, far.counts.refusedByNode], [1, 1]);
  assertEquals(near.counts.refusedByPeer, 1);
});

const HELLO = encodeHello({
  nodeId: "dtn://raw/",
  receiving: { maxCount: 10, maxBytes: 1_000_000 },
  maxBundleBytes: 1_000_000,
  takesDatagrams: true,
});

/** A layer that listens, and a raw session that has said hello. */
async function rawPair() {
  const clock = new VirtualClock(0);
  const world = new HtxWorld(clock);
  const layer = world.layer({
    nodeId: "dtn://far/",
    receiving: { maxCount: 3, maxBytes: 1_000 },
  });
  const listener = await layer.listen(SERVER);
  const contacts = listener[Symbol.asyncIterator]();
  const session = await world.dial();
  const control = await session.open();
  await control.write(HELLO);
  return {
    session,
    contact: (await contacts.next()).value as Contact,
    async [Symbol.asyncDispose]() {
      const ending = session.close();
      await clock.run(10_000);
      await ending;
      listener.close();
    },
  };
}

Deno.test("a datagram that says nothing, and a number that is too low on a stream, end the contact", async () => {
  for (const message of [new Uint8Array(), new Uint8Array([9, 0, 0, 0, 0])]) {
    await using pair = await rawPair();
    await pair.session.datagrams!.send(message);
    await pair.contact.closed;
  }
  await using pair = await rawPair();
  await pair.session.datagrams!.send(encodeBundle(1_000, new Uint8Array(4)));
  await until(() => pair.contact.counts.received === 1);
  const stream = await pair.session.open();
  const head = new Writer(12).u64(HAS_ID | 4n).u32(3).finish();
  await stream.write(concat(head, new Uint8Array(4)));
  await pair.contact.closed;
});

Deno.test("datagrams beyond the room that the peer was told are refused", async () => {
  await using pair = await rawPair();
  const { contact, session } = pair;
  const answers: number[] = [];
  void (async () => {
    for (let said; (said = await session.datagrams!.receive());) {
      answers.push(said[5]!);
    }
  })();
  for (let id = 0; id < 200; id++) {
    await session.datagrams!.send(encodeBundle(id, new Uint8Array(100)));
  }
  await until(() => answers.length === 197);
  assertEquals(new Set(answers), new Set([2]), "no resources");
  assertEquals([contact.counts.received, contact.counts.refusedByLayer], [
    3,
    197,
  ]);
  let taken = 0;
  for await (const { accept } of contact.received) {
    accept();
    if (++taken === 3) break;
  }
  await until(() => answers.length === 200);
  assertEquals(answers.slice(-3), [0, 0, 0]);
});
