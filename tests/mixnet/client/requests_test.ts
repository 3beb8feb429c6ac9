import { assert, assertEquals } from "@std/assert";
import { concat } from "../../../src/core/bytes/mod.ts";
import { CLIENT_LIMITS } from "../../../src/mixnet/client/client_limits.ts";
import {
  progressOf,
  type Request,
  Requests,
} from "../../../src/mixnet/client/requests.ts";

const ROOM = 100;
const TO = {
  gatewayId: new Uint8Array(32),
  clientId: new Uint8Array(32),
  sealKey: new Uint8Array(32),
};

Deno.test("a request asks once its message is acknowledged, at growing intervals while nothing comes", () => {
  const requests = make();
  begin(requests);
  requests.tick(1e6);
  assertEquals(requests.shift(3), undefined);
  const { request } = begin(requests, 2);
  requests.acknowledged(request, 0);
  const asked: number[] = [];
  for (let ms = 0; ms <= 140_000; ms += 100) {
    requests.tick(ms);
    const due = requests.shift(3);
    if (!due) continue;
    assertEquals(due, { request, surbs: 3 });
    asked.push(ms);
  }
  // 2 s and four times its half, doubled; but 30 s at most
  assertEquals(asked, [
    6_000,
    18_000,
    42_000,
    72_000,
    102_000,
    132_000,
  ]);
  assertEquals(requests.counts.demands, 6);
});

Deno.test("a reply is put together from fragments in any order, some twice", () => {
  const requests = make();
  const { request, take } = begin(requests);
  const parts = [1, 2, 3].map((n) => new Uint8Array(ROOM).fill(n));
  assertEquals(take(2, 3, parts[2]!), undefined);
  assertEquals(take(2, 3, parts[2]!), undefined);
  assertEquals(progressOf(request).next, 0);
  assertEquals(progressOf(request).later[0], 0b10);
  assertEquals(take(0, 3, parts[0]!), undefined);
  assertEquals(progressOf(request), { next: 1, later: later(0) });
  assertEquals(requests.heldBytes, 200);
  assertEquals(take(1, 3, parts[1]!), concat(...parts));
  assertEquals(requests.heldBytes, 0);
  assertEquals(requests.get(request.key), undefined);
  assert(request.done);
});

Deno.test("an empty reply is a reply", () => {
  const requests = make();
  const { take } = begin(requests);
  assertEquals(take(0, 1, new Uint8Array(0)), new Uint8Array(0));
});

Deno.test("once the length is known, demands bring SURBs for what is missing, within the window", () => {
  const requests = make({ surbWindow: 5 });
  const { request, take } = begin(requests);
  take(0, 10, new Uint8Array(ROOM));
  assertEquals(requests.shift(3), { request, surbs: 3 });
  requests.gave(request, 0, surbs("a", "b", "c"));
  requests.sent(request);
  assertEquals(requests.shift(3), { request, surbs: 2 });
  requests.gave(request, 0, surbs("d", "e"));
  requests.sent(request);
  assertEquals(requests.shift(3), undefined);
  take(1, 10, new Uint8Array(ROOM), "a");
  assertEquals(requests.shift(3), { request, surbs: 1 });
  requests.gave(request, 0, surbs("f"));
  requests.sent(request);
  requests.tick(5_999);
  assertEquals(requests.shift(3), undefined);
  requests.tick(6_000); // all five are given up
  assertEquals(requests.shift(5), { request, surbs: 5 });
});

Deno.test("fragments of a reply too long, at odds with others or beyond all room are counted, and held in no case", () => {
  const requests = make({ maxReplyBytes: 3 * ROOM, maxBytes: 4 * ROOM });
  const { request, take } = begin(requests);
  assertEquals(take(0, 4, new Uint8Array(1)), undefined); // 4 fragments are more than 300 bytes
  assertEquals(take(0, 65_535, new Uint8Array(0)), undefined);
  assertEquals(request.count, undefined);
  assertEquals(requests.counts.malformed, 2);
  take(0, 3, new Uint8Array(ROOM));
  take(1, 2, new Uint8Array(ROOM));
  take(2, 3, new Uint8Array(2 * ROOM + 1));
  assertEquals(requests.counts.malformed, 4);
  assertEquals(requests.heldBytes, 100);
  const other = begin(requests, 2);
  for (const index of [0, 1, 2]) {
    other.take(index, 3, new Uint8Array(ROOM));
    take(index, 3, new Uint8Array(ROOM));
  }
  assert(requests.counts.refused > 0);
  assert(requests.heldBytes <= 4 * ROOM);
  requests.end(request);
  requests.end(request);
  assertEquals(requests.heldBytes <= 3 * ROOM, true);
});

Deno.test("requests are bounded; one that ended asks no more", () => {
  const requests = make({ maxRequests: 2 });
  const { request, take } = begin(requests, 1);
  begin(requests, 2);
  assertEquals(requests.hasRoom, false);
  take(0, 3, new Uint8Array(ROOM));
  requests.end(request);
  assertEquals(requests.hasRoom, true);
  requests.tick(1e9);
  assertEquals(requests.shift(3), undefined);
});

function make(limits = {}): Requests {
  const all = { ...CLIENT_LIMITS.requests, ...limits };
  return new Requests(all, ROOM, { initialMs: 2_000 });
}

function begin(requests: Requests, n = 1) {
  const request: Request = requests.add(
    `${n}`,
    new Uint8Array(16).fill(n),
    TO,
  );
  const take = (index: number, count: number, bytes: Uint8Array, id = "") =>
    requests.accept(
      request,
      id,
      { index, count, bytes: new Uint8Array(bytes) },
      0,
      2_000, // so that the time-out stays 6 s
      0,
    );
  return { request, take };
}

function surbs(...ids: string[]) {
  return ids.map((id) => ({ id, delaysMs: 0 }));
}

function later(first: number): Uint8Array {
  const bytes = new Uint8Array(32);
  // fragment 2 of three is there, and fragment 1 is the first that is missing
  bytes[0] = 1 << first;
  return bytes;
}
