import { assertEquals } from "@std/assert";
import { type Delivery, Outbox } from "../../../src/mixnet/client/outbox.ts";
import { RoundTrip } from "../../../src/mixnet/client/round_trip.ts";

const ADDRESS = {
  gatewayId: new Uint8Array(32),
  clientId: new Uint8Array(32),
  sealKey: new Uint8Array(32),
};
const ROUND_TRIP = new RoundTrip({ initialMs: 1_000 }); // a time-out of 3 s

Deno.test("an outbox takes a delivery as a whole, or not", () => {
  const outbox = new Outbox(5);
  assertEquals(outbox.add(delivery("a", 3)), true);
  assertEquals(outbox.add(delivery("b", 3)), false);
  assertEquals(outbox.add(delivery("c", 2)), true);
  assertEquals(outbox.size, 5);
  outbox.cancel("a");
  assertEquals(outbox.size, 2);
  assertEquals(outbox.add(delivery("b", 3)), true);
});

Deno.test("deliveries take turns, so that a short one does not wait for a long one", () => {
  const outbox = new Outbox(100);
  outbox.add(delivery("long", 50));
  outbox.add(delivery("short", 2));
  assertEquals(taken(outbox, 6), [
    "long 0",
    "short 0",
    "long 1",
    "short 1",
    "long 2",
    "long 3",
  ]);
});

Deno.test("a packet that was put back comes again at its delivery's next turn", () => {
  const outbox = new Outbox(100);
  outbox.add(delivery("stuck", 2));
  outbox.add(delivery("free", 3));
  outbox.putBack(outbox.shift()!);
  assertEquals(taken(outbox, 3), ["free 0", "stuck 0", "free 1"]);
  assertEquals(outbox.readyCount, 2);
});

Deno.test("a packet without acknowledgement is sent again, after twice the time from the second time on", () => {
  const outbox = new Outbox(10);
  outbox.add(delivery("a", 1));
  const item = outbox.shift()!;
  outbox.sent(item, 0, 500, ROUND_TRIP);
  outbox.tick(3_499);
  assertEquals(outbox.shift(), undefined);
  outbox.tick(3_500);
  assertEquals(outbox.shift(), item);
  outbox.sent(item, 3_500, 500, ROUND_TRIP);
  assertEquals(outbox.retransmissions, 1);
  outbox.tick(9_999);
  assertEquals(outbox.readyCount, 0);
  outbox.tick(10_000);
  assertEquals(outbox.readyCount, 1);
  let nowMs = 10_000;
  for (let attempt = 3; attempt < 8; attempt++) {
    outbox.sent(outbox.shift()!, nowMs, 500, ROUND_TRIP);
    nowMs += 500 + 2 * 3_000;
    outbox.tick(nowMs - 1);
    assertEquals(outbox.readyCount, 0);
    outbox.tick(nowMs);
    assertEquals(outbox.readyCount, 1);
  }
});

Deno.test("a delivery is done by its last acknowledgement, whichever attempt it is for", () => {
  const outbox = new Outbox(10);
  outbox.add(delivery("a", 2));
  const [first, second] = [outbox.shift()!, outbox.shift()!];
  for (const item of [first, second]) outbox.sent(item, 0, 0, ROUND_TRIP);
  outbox.tick(3_000); // both wait to be sent again
  assertEquals(outbox.acknowledge(first), undefined);
  assertEquals(outbox.acknowledge(first), undefined);
  assertEquals(taken(outbox, 3), ["a 1"]);
  assertEquals(outbox.acknowledge(second), "a");
  assertEquals(outbox.acknowledge(second), undefined);
  assertEquals([outbox.size, outbox.readyCount], [0, 0]);
});

Deno.test("an acknowledgement or a way back of a cancelled delivery changes nothing", () => {
  const outbox = new Outbox(10);
  outbox.add(delivery("a", 2));
  const item = outbox.shift()!;
  outbox.cancel("a");
  outbox.cancel("a");
  outbox.putBack(item);
  assertEquals(outbox.acknowledge(item), undefined);
  assertEquals([outbox.size, outbox.readyCount], [0, 0]);
  assertEquals(outbox.shift(), undefined);
});

Deno.test("a delivery is given up at its deadline, and it says so where there was no route", () => {
  const outbox = new Outbox(10);
  outbox.add(delivery("late", 1, 1_000));
  outbox.add(delivery("stuck", 1, 1_000));
  outbox.add(delivery("freed", 1, 1_000));
  outbox.add(delivery("in time", 1, 1_001));
  outbox.sent(outbox.shift()!, 0, 0, ROUND_TRIP);
  outbox.putBack(outbox.shift()!);
  const freed = outbox.shift()!;
  outbox.putBack(freed);
  outbox.sent(freed, 0, 0, ROUND_TRIP);
  assertEquals(outbox.tick(999), []);
  assertEquals(outbox.tick(1_000), [
    { key: "late", code: "deadline" },
    { key: "stuck", code: "no_route" },
    { key: "freed", code: "deadline" },
  ]);
  assertEquals(outbox.size, 1);
});

function delivery(key: string, count: number, deadlineMs = Infinity): Delivery {
  return { key, to: ADDRESS, count, deadlineMs, body: () => undefined };
}

function taken(outbox: Outbox, count: number): string[] {
  return Array.from({ length: count }, () => outbox.shift())
    .flatMap((item) => item ? [`${item.delivery.key} ${item.index}`] : []);
}
