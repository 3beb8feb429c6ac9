import { assert, assertEquals } from "@std/assert";
import { LoopTally } from "../../../src/mixnet/client/loop_tally.ts";
import { RoundTrip } from "../../../src/mixnet/client/round_trip.ts";

const nonce = (n: number) => new Uint8Array(16).fill(n);

Deno.test("the time-out is the routes' delays, and RFC 6298 for what is beyond them", () => {
  const roundTrip = new RoundTrip({ initialMs: 1_000 });
  assertEquals(roundTrip.timeoutMs(5_000, 0), 5_000 + 3_000);
  roundTrip.measure(5_400, 5_000);
  assertEquals(roundTrip.overheadMs, 400);
  assertEquals(roundTrip.timeoutMs(0, 0), 400 + 4 * 200);
  roundTrip.measure(800, 0);
  // variation 3/4 · 200 + 1/4 · 400, smoothed 7/8 · 400 + 1/8 · 800
  assertEquals(roundTrip.timeoutMs(0, 0), 450 + 4 * 250);
});

Deno.test("the time-out doubles with each attempt, and stays within its bounds, whatever is measured", () => {
  const roundTrip = new RoundTrip({ minMs: 100, maxMs: 1_000 });
  for (let i = 0; i < 100; i++) roundTrip.measure(10, 50); // sooner than asked
  assertEquals(roundTrip.overheadMs, 0);
  const attempts = [0, 1, 2, 3, 4, 1_000];
  assertEquals(
    attempts.map((each) => roundTrip.timeoutMs(0, each)),
    [100, 200, 400, 800, 1_000, 1_000],
  );
  for (let i = 0; i < 100; i++) roundTrip.measure(1e9, 0);
  assertEquals(roundTrip.timeoutMs(7, 0), 1_007);
});

Deno.test("loops are counted as returned once, or lost when their time is over or too many are on their way", () => {
  const tally = new LoopTally(2);
  tally.left(nonce(1), 0, 100, 1_000);
  tally.left(nonce(2), 0, 100, 2_000);
  tally.left(nonce(3), 0, 100, 3_000);
  assertEquals(tally.counts.lost, 1);
  assertEquals(tally.returned(nonce(1), 10), undefined);
  assertEquals(tally.returned(nonce(2), 150), 150);
  assertEquals(tally.returned(nonce(2), 150), undefined);
  tally.tick(2_999);
  assertEquals(tally.counts.lost, 1);
  tally.tick(3_000);
  assertEquals(tally.counts, {
    sent: 3,
    returned: 1,
    lost: 2,
    meanMs: 150,
    meanBeyondDelaysMs: 50,
  });
  assert(tally.returned(nonce(3), 3_000) === undefined);
});
