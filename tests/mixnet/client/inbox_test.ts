import { assert, assertEquals } from "@std/assert";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { CLIENT_LIMITS } from "../../../src/mixnet/client/client_limits.ts";
import { Inbox, type InboxLimits } from "../../../src/mixnet/client/inbox.ts";
import type { Fragment } from "../../../src/mixnet/client/packet_body.ts";

const AT = { nowMs: 0, wallMs: 1_800_000_000_000 };

Deno.test("fragments in any order, some twice, make one message", () => {
  const inbox = make();
  const [a, b, c] = fragmentsOf(3);
  assertEquals(inbox.accept(c!, AT), undefined);
  assertEquals(inbox.accept(c!, AT), undefined);
  assertEquals(inbox.accept(a!, AT), undefined);
  const received = inbox.accept(b!, AT);
  assert(received && received !== "refused");
  assertEquals(received.bytes, Uint8Array.of(0, 0, 1, 1, 2, 2));
  assertEquals(inbox.accept(b!, AT), undefined);
  inbox.taken(received.messageId, AT);
  assertEquals(inbox.accept(a!, AT), undefined);
  assertEquals(inbox.counts.accepted, 3);
  assertEquals(inbox.counts.duplicate, 3);
  assertEquals(inbox.heldBytes, 0);
});

Deno.test("fragments at odds with others of their message are dropped", () => {
  const inbox = make();
  const [a, b] = fragmentsOf(2);
  inbox.accept(a!, AT);
  assertEquals(inbox.accept({ ...b!, count: 3 }, AT), undefined);
  assertEquals(inbox.counts.malformed, 1);
  assert(inbox.accept(b!, AT));
});

Deno.test("whoever floods fills bounded memory, in the store too", () => {
  const store = memoryStore();
  const inbox = make({ maxMessages: 10, maxBytes: 6_000 }, store);
  for (let i = 0; i < 100; i++) inbox.accept(fragmentsOf(2)[0]!, AT);
  assertEquals(inbox.counts.evicted, 90);
  assertEquals(store.usage().entries, 10);
  for (let i = 0; i < 20; i++) {
    inbox.accept({ ...fragmentsOf(2)[0]!, bytes: new Uint8Array(400) }, AT);
  }
  assertEquals(inbox.counts.accepted - inbox.counts.evicted, 6);
  assert(inbox.heldBytes <= 6_000, `${inbox.heldBytes}`);
});

Deno.test("a message whose fragments keep coming outlives a flood of others that are never whole", () => {
  const inbox = make({ maxMessages: 10 });
  const honest = fragmentsOf(30);
  let whole;
  for (const fragment of honest) {
    whole = inbox.accept(fragment, AT);
    for (let i = 0; i < 9; i++) inbox.accept(fragmentsOf(2)[0]!, AT);
  }
  assert(whole && whole !== "refused");
  assertEquals(whole.messageId, honest[0]!.messageId);
  assertEquals(inbox.counts.evicted, 30 * 9 - 9);
});

Deno.test("fragments that hold nothing take room all the same", () => {
  const store = memoryStore();
  const inbox = make({ maxBytes: 100 * 512 }, store);
  for (let i = 0; i < 10; i++) {
    for (const fragment of fragmentsOf(600).slice(1)) {
      inbox.accept({ ...fragment, bytes: new Uint8Array(0) }, AT);
    }
  }
  assert(store.usage().entries <= 100, `${store.usage().entries}`);
});

Deno.test("a message of more fragments than the longest takes is refused at its first", () => {
  const store = memoryStore();
  const inbox = make({ maxMessageBytes: 10 * 1_576 }, store);
  const { messageId } = fragmentsOf(1)[0]!;
  const fragment = { ...fragmentsOf(1)[0]!, messageId, index: 0 };
  assertEquals(inbox.accept({ ...fragment, count: 12 }, AT), undefined);
  assertEquals(inbox.counts.tooLarge, 1);
  assertEquals(store.usage().entries, 0);
  inbox.accept({ ...fragment, count: 11 }, AT);
  assertEquals(inbox.counts.accepted, 1);
});

Deno.test("a full store remembers that a message was taken", () => {
  const store = memoryStore({ maxEntries: 1 });
  const inbox = make({}, store);
  const [fragment] = fragmentsOf(1);
  assert(inbox.accept(fragment!, AT));
  inbox.taken(fragment!.messageId, AT);
  assertEquals(make({}, store).accept(fragment!, AT), undefined);
});

Deno.test("a message that is too long, or whose rest does not come, is dropped and counted", () => {
  const inbox = make({ maxMessageBytes: 3, reassemblyMs: 1_000 });
  const [a, b] = fragmentsOf(2);
  for (const fragment of [a, b, a]) inbox.accept(fragment!, AT);
  assertEquals(inbox.counts.tooLarge, 1);
  assertEquals(inbox.counts.duplicate, 1);
  assertEquals(inbox.heldBytes, 0);
  inbox.accept(fragmentsOf(2)[0]!, AT);
  inbox.tick({ ...AT, nowMs: 999 });
  assertEquals(inbox.counts.expired, 0);
  inbox.tick({ ...AT, nowMs: 1_000 });
  assertEquals(inbox.counts.expired, 1);
  assertEquals(inbox.heldBytes, 0);
});

Deno.test("a message may take as long as its sender is slow, if its fragments keep coming", () => {
  const inbox = make({ reassemblyMs: 1_000 });
  const fragments = fragmentsOf(10);
  let whole;
  for (const [i, fragment] of fragments.entries()) {
    const at = { ...AT, nowMs: 999 * i };
    inbox.tick(at);
    whole = inbox.accept(fragment, at);
    inbox.accept(fragments[0]!, { ...at, nowMs: 1e9 }); // a copy is no news
  }
  assert(whole && whole !== "refused");
  assertEquals(inbox.counts.expired, 0);
});

Deno.test("what is in the store is there after a restart: fragments, whole messages, and ids of those taken", () => {
  const store = memoryStore();
  const first = make({}, store);
  const [one, two, three] = [fragmentsOf(2), fragmentsOf(1), fragmentsOf(1)];
  first.accept(one[0]!, AT);
  first.accept(two[0]!, AT);
  first.accept(three[0]!, AT);
  first.taken(three[0]!.messageId, AT);
  const second = make({}, store);
  const restored = second.restore(AT);
  assertEquals(restored.map(({ messageId }) => messageId), [two[0]!.messageId]);
  assertEquals(second.accept(three[0]!, AT), undefined);
  assertEquals(second.counts.duplicate, 1);
  assert(second.accept(one[1]!, AT));
});

Deno.test("ids of messages taken are kept for their time, and in bounded number", () => {
  const store = memoryStore();
  const inbox = make({ maxSeen: 3, seenMs: 1_000 }, store);
  const all = Array.from({ length: 4 }, () => fragmentsOf(1)[0]!);
  for (const fragment of all) {
    inbox.accept(fragment, AT);
    inbox.taken(fragment.messageId, AT);
  }
  assertEquals(inbox.counts.forgotten, 1);
  assertEquals(store.usage().entries, 3);
  inbox.tick({ ...AT, wallMs: AT.wallMs + 1_000 });
  assertEquals(store.usage().entries, 0);
});

Deno.test("a full store refuses fragments, so that the gateway keeps them", () => {
  const inbox = make({}, memoryStore({ maxEntries: 1 }));
  const [a, b] = fragmentsOf(2);
  assertEquals(inbox.accept(a!, AT), undefined);
  assertEquals(inbox.accept(b!, AT), "refused");
  assertEquals(inbox.counts.refused, 1);
});

function make(limits: Partial<InboxLimits> = {}, store = memoryStore()): Inbox {
  return new Inbox(store, 1_600, { ...CLIENT_LIMITS.inbox, ...limits });
}

/** Fragments of one message; number i holds two bytes of value i. */
function fragmentsOf(count: number): Fragment[] {
  const messageId = nodeProvider.random(16);
  return Array.from({ length: count }, (_, index) => ({
    kind: "fragment",
    messageId,
    index,
    count,
    surbs: [],
    bytes: Uint8Array.of(index, index),
  }));
}
