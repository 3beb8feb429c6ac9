import { assertEquals, assertRejects } from "@std/assert";
import { memoryStore } from "../../src/core/storage/mod.ts";
import {
  decodeMixAnswer,
  encodeMixAnswer,
  encodeMixEnvelope,
  type MixAnswer,
} from "../../src/betanet_cla/mix_envelope.ts";
import type { MixLayerOptions } from "../../src/betanet_cla/mix_layer.ts";
import { formatMixNode } from "../../src/betanet_cla/mix_node_address.ts";
import { ContactError } from "../../src/dtn/cla/contact_error.ts";
import type {
  Contact,
  ReceivedBundle,
} from "../../src/dtn/cla/convergence_layer.ts";
import type { MixClient } from "../../src/mixnet/client/mix_client.ts";
import { clientKeys } from "../mixnet/client/_mix_world.ts";
import { accepting, MixNodeWorld, type MixPeer } from "./_mix_node_world.ts";

Deno.test("what is no envelope, or cannot be answered, is dropped and counted, and what is sent honestly comes", async () => {
  await using world = new MixNodeWorld();
  const { far, contacts, stranger } = await attacked(world);
  const to = far.client.address;
  const lost = envelope({ bundle: Uint8Array.of(1) });
  for (
    const garbage of [
      new Uint8Array(),
      new Uint8Array(4_000).fill(0xff),
      lost.with(0, 2),
      lost.with(1, 9),
      lost.slice(0, 20),
    ]
  ) await stranger.send(to, garbage);
  await stranger.send(to, lost);
  await world.until(() => far.layer.counts.unanswerable === 1);
  assertEquals(far.layer.counts.malformed, 5);
  const near = world.peer("east");
  const contact = await near.layer.dial(far.layer.address);
  accepting(await next(contacts));
  assertEquals(await contact.send(Uint8Array.of(2)), { kind: "acknowledged" });
});

Deno.test("a transfer that comes again is given once, and has one answer, over a restart too", async () => {
  await using world = new MixNodeWorld();
  const keys = clientKeys();
  const stores = { client: memoryStore(), layer: memoryStore() };
  const start = () =>
    world.peer("west", { store: stores.layer }, { keys, store: stores.client });
  const far = start();
  const stranger = world.mixnet.client("east", clientKeys(), RATE);
  const contacts = (await far.layer.listen(far.layer.address))
    [Symbol.asyncIterator]();
  const taken = envelope({ bundle: Uint8Array.of(1), transfer: 1 });
  const refused = envelope({ bundle: Uint8Array.of(2), transfer: 2 });
  const first = [
    ask(stranger, far, taken),
    ask(stranger, far, taken),
    ask(stranger, far, refused),
  ];
  const bundles = (await next(contacts)).received[Symbol.asyncIterator]();
  const given = [await next(bundles), await next(bundles)];
  await world.until(() => far.layer.counts.duplicates === 1);
  given.find(({ bytes }) => bytes[0] === 1)!.accept();
  given.find(({ bytes }) => bytes[0] === 2)!.refuse("notAcceptable");
  const no: MixAnswer = { kind: "refused", reason: "notAcceptable" };
  assertEquals(await Promise.all(first), [ACKNOWLEDGED, ACKNOWLEDGED, no]);
  assertEquals(await ask(stranger, far, refused), no);
  await world.kill(far);
  const again = start();
  await again.layer.listen(again.layer.address);
  assertEquals(await ask(stranger, again, taken), ACKNOWLEDGED);
  assertEquals(await ask(stranger, again, refused), no);
  assertEquals(again.layer.counts.duplicates, 2);
  await stranger[Symbol.asyncDispose]();
});

Deno.test("a bundle that was not decided when the process died is given again", async () => {
  await using world = new MixNodeWorld();
  const keys = clientKeys();
  const store = memoryStore();
  const far = world.peer("west", {}, { keys, store });
  const listener = await far.layer.listen(far.layer.address);
  const near = world.peer("east");
  const contact = await near.layer.dial(far.layer.address);
  const sending = contact.send(Uint8Array.of(9));
  const undecided = await next((await next(listener)).received);
  assertEquals(undecided.bytes, Uint8Array.of(9));
  await far.client[Symbol.asyncDispose]();
  const again = world.peer("west", {}, { keys, store });
  const contacts = await again.layer.listen(again.layer.address);
  accepting(await next(contacts));
  assertEquals(await sending, { kind: "acknowledged" });
});

Deno.test("an answer that is none ends the contact, and acknowledges nothing", async () => {
  for (
    const answer of [
      Uint8Array.of(),
      Uint8Array.of(1, 99),
      Uint8Array.of(2, 0),
      new Uint8Array(5_000),
    ]
  ) {
    await using world = new MixNodeWorld();
    const near = world.peer("east");
    const liar = world.mixnet.client("west", clientKeys(), RATE);
    void (async () => {
      for await (const message of liar) {
        await message.reply?.(answer).catch(() => {});
      }
    })();
    const contact = await near.layer.dial(formatMixNode(liar.address));
    const error = await assertRejects(
      () => contact.send(Uint8Array.of(1)),
      ContactError,
    );
    assertEquals(error.code, "violation");
    assertEquals(contact.counts.sent, 0);
    await contact.closed;
    await liar[Symbol.asyncDispose]();
  }
});

Deno.test("who does not know the id of a contact neither ends it nor answers for its peer", async () => {
  await using world = new MixNodeWorld();
  const { far, contacts, stranger } = await attacked(world);
  const near = world.peer("east");
  const contact = await near.layer.dial(far.layer.address);
  const sending = contact.send(Uint8Array.of(1));
  const received = await next((await next(contacts)).received);
  for (const to of [near.client.address, far.client.address]) {
    await stranger.send(to, envelope({ kind: "leave" }));
    await stranger.send(to, encodeMixAnswer(0));
  }
  await world.until(() =>
    near.layer.counts.malformed === 1 && far.layer.counts.malformed === 1
  );
  assertEquals(contact.counts.sent, 0);
  received.accept();
  assertEquals(await sending, { kind: "acknowledged" });
});

Deno.test("contacts beyond the bound take the place of idle ones, and are refused if none is", async () => {
  await using world = new MixNodeWorld();
  const { far, contacts, stranger } = await attacked(world, { maxContacts: 2 });
  const to = (contact: number) =>
    envelope({ bundle: Uint8Array.of(contact), contact, transfer: contact });
  await stranger.send(far.client.address, envelope({ kind: "hello" }));
  const idle = await next(contacts);
  const first = ask(stranger, far, to(1));
  const one = await next((await next(contacts)).received);
  const second = ask(stranger, far, to(2));
  await idle.closed;
  const two = await next((await next(contacts)).received);
  assertEquals(await ask(stranger, far, to(3)), FULL);
  one.accept();
  two.accept();
  assertEquals(await Promise.all([first, second]), [
    ACKNOWLEDGED,
    ACKNOWLEDGED,
  ]);
  assertEquals(far.layer.counts.full, 1);
});

Deno.test("bundles beyond what a contact, or all of them, may hold are refused until the node decides", async () => {
  await using world = new MixNodeWorld();
  const { far, contacts, stranger } = await attacked(world, {
    receiving: { maxCount: 1, maxBytes: 1_000 },
    maxHeldBytes: 250,
  });
  const to = (contact: number, transfer: number, size = 100) =>
    envelope({ bundle: new Uint8Array(size), contact, transfer });
  const first = ask(stranger, far, to(1, 1));
  const contact = await next(contacts);
  const received = contact.received[Symbol.asyncIterator]();
  const held = await next(received);
  assertEquals(await ask(stranger, far, to(1, 2)), FULL, "in this contact");
  assertEquals(await ask(stranger, far, to(2, 3, 151)), FULL, "in all");
  held.accept();
  assertEquals(await first, ACKNOWLEDGED);
  const again = ask(stranger, far, to(1, 2));
  (await next(received)).accept();
  assertEquals(await again, ACKNOWLEDGED);
  assertEquals(contact.counts.refusedByLayer, 1);
  assertEquals(far.layer.counts.full, 1);
});

Deno.test("a bundle for a contact that is over is not taken, and whoever sent it learns that", async () => {
  await using world = new MixNodeWorld();
  const { far, contacts, stranger } = await attacked(world);
  const bytes = envelope({ bundle: Uint8Array.of(1) });
  const first = ask(stranger, far, bytes);
  const contact = await next(contacts);
  const received = await next(contact.received);
  contact.close();
  assertEquals(await first, { kind: "over" });
  received.accept();
  assertEquals(await ask(stranger, far, bytes), { kind: "over" });
  assertEquals(contact.counts.received, 1);
  assertEquals(far.layer.counts.over, 1);
});

const RATE = { packetsPerSecond: 100, loopsPerSecond: 0.1 };
const ACKNOWLEDGED: MixAnswer = { kind: "acknowledged" };
const FULL: MixAnswer = { kind: "refused", reason: "noResources" };

/** A layer that listens, and a client that says to it what it likes. */
async function attacked(
  world: MixNodeWorld,
  options: Partial<MixLayerOptions> = {},
) {
  const far = world.peer("west", options);
  const listener = await far.layer.listen(far.layer.address);
  const contacts = listener[Symbol.asyncIterator]();
  const stranger = world.peer("east").client;
  return { far, contacts, stranger };
}

async function ask(
  client: MixClient,
  { client: { address } }: MixPeer,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<MixAnswer> {
  return decodeMixAnswer(await client.request(address, bytes));
}

/** What somebody says that is not a node. */
function envelope(
  { kind, contact = 1, transfer = 1, bundle = new Uint8Array() }: {
    readonly kind?: "hello" | "leave";
    readonly contact?: number;
    readonly transfer?: number;
    readonly bundle?: Uint8Array;
  },
): Uint8Array<ArrayBuffer> {
  const contactId = new Uint8Array(16).fill(kind ? 0xff : contact);
  if (kind) return encodeMixEnvelope({ kind, contactId });
  const transferId = new Uint8Array(16).fill(transfer);
  return encodeMixEnvelope({ kind: "bundle", contactId, transferId, bundle });
}

async function next<T extends Contact | ReceivedBundle>(
  from: AsyncIterable<T> | AsyncIterator<T>,
): Promise<T> {
  const iterator = Symbol.asyncIterator in from
    ? from[Symbol.asyncIterator]()
    : from;
  return (await iterator.next()).value;
}
