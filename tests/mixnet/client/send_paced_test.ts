import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { sendPaced } from "../../../src/mixnet/client/send_paced.ts";
import type { LinkFrame } from "../../../src/mixnet/link/link_frame.ts";
import { seededRandom } from "./_mix_world.ts";

const FRAME: LinkFrame = { type: "collected", sequence: 1 };

Deno.test("how long it takes to make a frame does not change when frames leave, if they are made ahead", async () => {
  const quick = await timesOf(50, () => 0);
  const slow = await timesOf(50, () => 14);
  const mixed = await timesOf(50, (i) => i % 3 * 7);
  assert(quick.length > 4_500);
  for (const times of [slow, mixed]) {
    assertEquals(times.length, quick.length);
    const late = times.filter((ms, i) => ms - quick[i]! > 0.001).length;
    assert(late < quick.length / 200, `${late} of ${quick.length}`);
  }
  const unprepared = await timesOf(0, () => 14);
  const late = unprepared.filter((ms, i) => ms - quick[i]! > -36.001).length;
  assertEquals(late, unprepared.length);
});

Deno.test("frames leave in order, one a write, also at rates at which they cannot be made in time", async () => {
  const clock = new VirtualClock();
  const sent: number[] = [];
  let made = 0;
  const controller = new AbortController();
  const sending = sendPaced(
    {
      send([frame, ...others]) {
        assertEquals(others, []);
        assert(frame?.type === "collected");
        sent.push(frame.sequence);
        return Promise.resolve();
      },
    },
    () => {
      clock.advance(14);
      return { type: "collected", sequence: made++ };
    },
    {
      ratePerSecond: 200,
      random: seededRandom(1),
      clock,
      leadMs: 50,
      signal: controller.signal,
    },
  );
  await clock.run(10_000);
  controller.abort(new Error("enough"));
  await assertRejects(() => sending, Error, "enough");
  assertEquals(sent, sent.map((_, i) => i));
  assert(sent.length > 300, `${sent.length}`);
  assert(made - sent.length <= 16);
});

/** When frames leave in 1,000 s, at 5 a second, if making the i-th takes `workMs(i)`. */
async function timesOf(
  leadMs: number,
  workMs: (i: number) => number,
): Promise<number[]> {
  const clock = new VirtualClock();
  const times: number[] = [];
  let made = 0;
  const controller = new AbortController();
  const sending = sendPaced(
    {
      send: () => {
        times.push(clock.now());
        return Promise.resolve();
      },
    },
    () => {
      clock.advance(workMs(made++));
      return FRAME;
    },
    {
      ratePerSecond: 5,
      random: seededRandom(8),
      clock,
      leadMs,
      signal: controller.signal,
    },
  );
  await clock.run(1_000_000);
  controller.abort(new Error("enough"));
  await assertRejects(() => sending, Error, "enough");
  return times;
}
