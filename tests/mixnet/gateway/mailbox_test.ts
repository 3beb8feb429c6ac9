import { assert, assertEquals } from "@std/assert";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import {
  Mailbox,
  MAILBOX_LIMITS,
} from "../../../src/mixnet/gateway/mailbox.ts";

const [ALICE, BOB] = [1, 2].map((n) => new Uint8Array(32).fill(n)) as [
  Uint8Array,
  Uint8Array,
];
const ID = new Uint8Array(16);
const NOW = 1_800_000_000_000;

Deno.test("messages are given in order until collected, each client its own", () => {
  const mailbox = make();
  for (const n of [1, 2, 3]) mailbox.put(ALICE, ID, Uint8Array.of(n), NOW);
  mailbox.put(BOB, ID.with(0, 9), Uint8Array.of(4), NOW);
  assertEquals(mailbox.next(ALICE, 0)!.payload, Uint8Array.of(1));
  assertEquals(mailbox.next(ALICE, 1)!.payload, Uint8Array.of(2));
  assertEquals(mailbox.next(ALICE, 3), undefined);
  assertEquals(mailbox.next(BOB, 0), {
    sequence: 1,
    identifier: ID.with(0, 9),
    payload: Uint8Array.of(4),
  });
  mailbox.collect(ALICE, 2);
  mailbox.collect(ALICE, 2);
  assertEquals(mailbox.next(ALICE, 0)!.sequence, 3);
  assertEquals(mailbox.counts, {
    clients: 2,
    messages: 2,
    bytes: 2,
    collected: 2,
    expired: 0,
  });
});

Deno.test("a mailbox outlives its process, and gives no sequence twice", () => {
  const store = memoryStore();
  const first = make({}, store);
  first.put(ALICE, ID, Uint8Array.of(1), NOW);
  first.put(ALICE, ID, Uint8Array.of(2), NOW);
  first.collect(ALICE, 2);
  first.put(BOB, ID, Uint8Array.of(3), NOW);
  const second = new Mailbox(store);
  assertEquals(second.counts.messages, 1);
  assertEquals(second.counts.bytes, 1);
  assertEquals(second.next(BOB, 0)!.payload, Uint8Array.of(3));
  second.put(ALICE, ID, Uint8Array.of(4), NOW);
  assertEquals(second.next(ALICE, 0)!.sequence, 3);
});

Deno.test("quotas hold for each client and for all, by count and bytes, and in the store", () => {
  const bytes = new Uint8Array(10);
  const cases = [
    [{ maxClientMessages: 1 }, "client_full", undefined],
    [{ maxClientBytes: 19 }, "client_full", undefined],
    [{ maxMessages: 1 }, "full", "full"],
    [{ maxBytes: 19 }, "full", "full"],
  ] as const;
  for (const [limits, same, other] of cases) {
    const mailbox = make(limits);
    assertEquals(mailbox.put(ALICE, ID, bytes, NOW), undefined);
    assertEquals(mailbox.put(ALICE, ID, bytes, NOW), same);
    assertEquals(mailbox.put(BOB, ID, bytes, NOW), other);
  }
  const full = make({}, memoryStore({ maxEntries: 3 }));
  assertEquals(full.put(ALICE, ID, bytes, NOW), undefined);
  assertEquals(full.put(ALICE, ID, bytes, NOW), "full");
  full.collect(ALICE, 1);
  assertEquals(full.put(ALICE, ID, bytes, NOW), undefined);
  assertEquals(full.next(ALICE, 0)!.sequence, 2);
});

Deno.test("messages for strangers, and more clients than allowed, are refused", () => {
  const mailbox = make({ maxClients: 2 });
  const carol = new Uint8Array(32).fill(3);
  assertEquals(mailbox.put(carol, ID, ID, NOW), "unknown_client");
  assertEquals(mailbox.register(carol, NOW), false);
  assertEquals(mailbox.register(ALICE, NOW), true);
});

Deno.test("messages and clients expire", () => {
  const store = memoryStore();
  const mailbox = make({}, store);
  mailbox.put(ALICE, ID, Uint8Array.of(1), NOW);
  mailbox.put(ALICE, ID, Uint8Array.of(2), NOW + 1);
  const { messageExpiryMs, clientExpiryMs } = MAILBOX_LIMITS;
  mailbox.tick(NOW + messageExpiryMs);
  assertEquals(mailbox.next(ALICE, 0)!.payload, Uint8Array.of(2));
  assertEquals(mailbox.counts.expired, 1);
  mailbox.register(BOB, NOW + 1);
  mailbox.tick(NOW + clientExpiryMs);
  assertEquals(mailbox.counts.clients, 1);
  assertEquals(mailbox.put(ALICE, ID, ID, NOW), "unknown_client");
  assertEquals(store.usage().entries, 1);
});

Deno.test("a client that stays costs a write every 10 minutes, and is known after a restart by its last", () => {
  const store = memoryStore();
  let writes = 0;
  const set = store.set.bind(store);
  Object.assign(store, {
    set: (key: Uint8Array, value: Uint8Array) => {
      writes++;
      set(key, value);
    },
  });
  const mailbox = new Mailbox(store);
  for (let ms = 0; ms <= 3_600_000; ms += 10_000) {
    assert(mailbox.register(ALICE, NOW + ms));
  }
  assertEquals(writes, 7);
  const second = new Mailbox(store);
  second.tick(NOW + MAILBOX_LIMITS.clientExpiryMs);
  assertEquals(second.counts.clients, 1);
  second.tick(NOW + 3_600_000 + MAILBOX_LIMITS.clientExpiryMs);
  assertEquals(second.counts.clients, 0);
});

function make(limits = {}, store = memoryStore()): Mailbox {
  const mailbox = new Mailbox(store, limits);
  mailbox.register(ALICE, NOW);
  mailbox.register(BOB, NOW);
  return mailbox;
}
