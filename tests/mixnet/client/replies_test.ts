import { assert, assertEquals } from "@std/assert";
import { concat } from "../../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { CLIENT_LIMITS } from "../../../src/mixnet/client/client_limits.ts";
import {
  type Demand,
  MAX_FRAGMENTS,
} from "../../../src/mixnet/client/packet_body.ts";
import { Replies } from "../../../src/mixnet/client/replies.ts";
import type { ReplySurb } from "../../../src/mixnet/client/reply_surb.ts";

const ROOM = 100;
const AT = { nowMs: 0, wallMs: 1_800_000_000_000 };
const key = (n: number) => new Uint8Array(16).fill(n).toHex();
/** SURBs of epochs above 0 can be used, for a time that the epoch says in seconds. */
const usableUntilMs = (epoch: number) => AT.wallMs + epoch * 1_000;

Deno.test("fragments go once each as far as SURBs go, the rest when a demand brings more", () => {
  const replies = make();
  assertEquals(replies.reply(key(1), new Uint8Array(1), AT), "expired");
  replies.offer(key(1), surbs(2), AT);
  const bytes = nodeProvider.random(3 * ROOM + 1);
  assertEquals(replies.shift(AT), undefined);
  assertEquals(replies.reply(key(1), bytes, AT), undefined);
  assertEquals(replies.reply(key(1), bytes, AT), "answered");
  const first = sent(replies);
  assertEquals(first.map(({ index }) => index), [0, 1]);
  replies.demand(key(1), demand({ next: 0, surbs: surbs(3) }), AT);
  const all = [...first, ...sent(replies)];
  assertEquals(all.map(({ index }) => index), [0, 1, 2, 3, 0]);
  assert(all.every(({ count }) => count === 4));
  assertEquals(concat(...all.slice(0, 4).map((each) => each.bytes)), bytes);
  assertEquals(replies.counts.resent, 1);
});

Deno.test("what a demand says is there is not sent again; the longest unsent goes first", () => {
  const replies = make();
  replies.offer(key(1), surbs(5), AT);
  replies.reply(key(1), new Uint8Array(5 * ROOM), AT);
  assertEquals(indexes(replies), [0, 1, 2, 3, 4]);
  const later = new Uint8Array(32);
  later[0] = 0b10; // 0 is there, 1 is missing, 2 too, 3 is there
  replies.demand(key(1), demand({ next: 1, later, surbs: surbs(3) }), AT);
  assertEquals(indexes(replies), [1, 2, 4]);
  replies.demand(key(1), demand({ next: 1, later, surbs: surbs(5) }), AT);
  assertEquals(indexes(replies), [1, 2, 4]); // the others would be for nothing
});

Deno.test("a reply is forgotten when the requester has it, and when nobody asks for long", () => {
  const replies = make();
  for (const n of [1, 2, 3]) replies.offer(key(n), surbs(1), AT);
  for (const n of [1, 2]) replies.reply(key(n), new Uint8Array(10), AT);
  assert(replies.isBusy);
  const end = demand({ next: MAX_FRAGMENTS });
  assertEquals(replies.demand(key(1), end, AT), true);
  assertEquals(replies.demand(key(1), end, AT), false);
  assertEquals(replies.counts.unknownDemands, 1);
  assertEquals(replies.heldBytes, 10);
  replies.demand(key(2), demand({ next: 0 }), { ...AT, nowMs: 500 });
  assertEquals(replies.tick({ ...AT, nowMs: 1_000 }), []);
  assertEquals(replies.reply(key(3), new Uint8Array(1), AT), "expired");
  assertEquals(replies.tick({ ...AT, nowMs: 1_499 }), []);
  assertEquals(replies.tick({ ...AT, nowMs: 1_500 }), [key(2)]);
  assertEquals(replies.heldBytes, 0);
  assertEquals(replies.isBusy, false);
});

Deno.test("a reply that was under way goes on after a restart, once the requester asks", () => {
  const store = memoryStore();
  const first = make({}, store);
  const given = surbs(2);
  first.offer(key(1), given, AT);
  const bytes = nodeProvider.random(3 * ROOM);
  first.reply(key(1), bytes, AT);
  assertEquals(indexes(first), [0, 1]);
  const second = make({}, store);
  assertEquals(second.heldBytes, 300);
  assertEquals(indexes(second), []);
  second.offer(key(1), given, AT); // as the message itself was not taken yet
  assertEquals(second.reply(key(1), bytes, AT), "answered");
  assertEquals(indexes(second), []);
  second.demand(key(1), demand({ next: 1, surbs: surbs(2) }), AT);
  const rest = sent(second);
  assertEquals(rest.map(({ index }) => index), [1, 2]);
  assertEquals(concat(...rest.map((each) => each.bytes)), bytes.slice(ROOM));
  second.demand(key(1), demand({ next: MAX_FRAGMENTS }), AT);
  assertEquals(make({}, store).heldBytes, 0);
});

Deno.test("no SURB is used twice, whatever the gateway gives again, over a restart too", () => {
  const store = memoryStore();
  const first = make({}, store);
  const again = demand({ next: 0, surbs: surbs(2) });
  first.offer(key(1), again.surbs, AT);
  first.reply(key(1), new Uint8Array(6 * ROOM), AT);
  first.demand(key(1), again, AT);
  assertEquals(indexes(first), [0, 1]);
  first.demand(key(1), again, AT);
  assertEquals(indexes(first), []);
  assertEquals(first.counts.surbsDropped, 4);
  const second = make({}, store);
  second.demand(key(1), again, AT);
  assertEquals(indexes(second), []);
  second.demand(key(1), demand({ next: 0, surbs: surbs(1) }), AT);
  assertEquals(indexes(second).length, 1);
});

Deno.test("SURBs of an epoch that has ended are not used, and counted", () => {
  const replies = make();
  replies.offer(key(1), [...surbs(2, 1), ...surbs(1, 5)], AT);
  replies.reply(key(1), new Uint8Array(3 * ROOM), AT);
  assertEquals(indexes(replies, { ...AT, wallMs: AT.wallMs + 1_000 }), [0]);
  assertEquals(replies.counts.surbsDropped, 2);
  replies.demand(key(1), demand({ next: 0, surbs: surbs(2, 5) }), AT);
  assertEquals(indexes(replies, { ...AT, wallMs: AT.wallMs + 4_999 }), [1, 2]);
});

Deno.test("SURBs, messages and bytes are bounded: the newest SURBs stay, and the oldest message without a reply goes", () => {
  const replies = make({ maxReplies: 2, maxSurbs: 3, maxBytes: 300 });
  const [old, ...newer] = surbs(4);
  replies.offer(key(1), [old!, ...newer], AT);
  replies.reply(key(1), new Uint8Array(250), AT);
  assertEquals(replies.counts.surbsDropped, 1);
  assertEquals(replies.shift(AT)?.surb, newer[0]);
  replies.offer(key(2), surbs(1), AT);
  assertEquals(replies.reply(key(2), new Uint8Array(51), AT), "queue_full");
  assertEquals(replies.offer(key(3), surbs(1), AT), []);
  assertEquals(replies.reply(key(2), new Uint8Array(1), AT), "expired");
  assertEquals(replies.reply(key(3), new Uint8Array(50), AT), undefined);
  assertEquals(replies.offer(key(4), surbs(1), AT), [key(1)]);
  assertEquals(replies.counts.evicted, 2);
  assertEquals(replies.heldBytes, 50);
});

Deno.test("a full store takes no reply", () => {
  const replies = make({}, memoryStore({ maxEntries: 0 }));
  replies.offer(key(1), surbs(1), AT);
  assertEquals(replies.reply(key(1), new Uint8Array(1), AT), "queue_full");
  assertEquals(replies.heldBytes, 0);
});

Deno.test("of several replies each sends in its turn", () => {
  const replies = make();
  for (const n of [1, 2]) {
    replies.offer(key(n), surbs(2), AT);
    replies.reply(key(n), new Uint8Array(2 * ROOM).fill(n), AT);
  }
  assertEquals(sent(replies).map(({ bytes }) => bytes[0]), [1, 2, 1, 2]);
});

function make(limits = {}, store = memoryStore()): Replies {
  return new Replies({
    limits: { ...CLIENT_LIMITS.replies, keepMs: 1_000, ...limits },
    roomPerPacket: ROOM,
    usableUntilMs,
    store,
  }, AT);
}

function demand(parts: Partial<Demand>): Demand {
  return {
    kind: "demand",
    messageId: new Uint8Array(16).fill(1),
    next: 0,
    later: new Uint8Array(32),
    surbs: [],
    ...parts,
  };
}

function surbs(count: number, epoch = 1_000): ReplySurb[] {
  return Array.from({ length: count }, () => ({
    epoch,
    surb: nodeProvider.random(396),
    key: nodeProvider.random(32),
  }));
}

/** Everything that can be sent now. */
function sent(replies: Replies, at = AT) {
  const fragments = [];
  for (;;) {
    const next = replies.shift(at);
    if (!next) return fragments;
    fragments.push(next.fragment);
  }
}

function indexes(replies: Replies, at = AT): number[] {
  return sent(replies, at).map(({ index }) => index);
}
