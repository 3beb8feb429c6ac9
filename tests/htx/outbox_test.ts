import { assertEquals, assertLess } from "@std/assert";
import { MuxPair, pattern } from "./_mux_pair.ts";

Deno.test("a stream alone fills its frames whatever it sent before", () => {
  const pair = new MuxPair();
  const { mux } = pair.client;
  const stream = mux.open();
  mux.offer(stream, pattern(9));
  pair.exchange();
  stream.sendWindow.grant(2 ** 20);
  const before = mux.stats.framesOut;
  mux.offer(stream, pattern(4 * 65_536));
  const batch = mux.poll(0)!;
  assertEquals(mux.stats.framesOut - before, 4);
  assertEquals(batch.length, 4 * (4 + 1 + 1 + 65_536 + 16));
});

Deno.test("a session that only pads keeps no room for what it padded", () => {
  const pair = new MuxPair({ shaping: { pings: false } });
  const { mux } = pair.client;
  let kept = new ArrayBuffer(0);
  for (let nowMs = 0; nowMs < 60_000; nowMs += 1_200) {
    mux.tick(nowMs);
    while (mux.poll(nowMs));
    mux.reset(mux.open(), 0, nowMs);
    kept = mux.poll(nowMs)!.buffer;
    while (mux.poll(nowMs));
    assertLess(kept.byteLength, 1_024);
  }
  assertLess(30 * 1_024, mux.stats.paddingOut);
});
