import { assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import { addressPrefix, TokenBuckets } from "../../src/htx/token_bucket.ts";

Deno.test("addressPrefix() gives IPv4 /24, IPv6 /56, and IPv4 for mapped addresses", () => {
  for (
    const [address, prefix] of [
      ["tcp://192.0.2.77:9000", "192.0.2.0/24"],
      ["quic://192.0.2.1:443", "192.0.2.0/24"],
      ["ws://192.0.2.1:80/path", "192.0.2.0/24"],
      ["tcp://[::ffff:192.0.2.9]:1", "192.0.2.0/24"],
      ["tcp://[::ffff:c000:209]:1", "192.0.2.0/24"],
      ["tcp://[2001:db8:1:2ff:3:4:5:6]:1", "20010db800010200/56"],
      ["ws://[2001:db8:1:2ab::1]:1/", "20010db800010200/56"],
      ["tcp://[2001:db8:1:300::1]:1", "20010db800010300/56"],
      ["tcp://[::1]:1", "0000000000000000/56"],
      ["tcp://[fe80::1%eth0]:1", "fe80000000000000/56"],
      ["tcp://[1:2:3:4:5:6:7::]:1", "0001000200030000/56"],
      ["memory://alice", "alice"],
      ["nonsense", "?"],
    ] as const
  ) {
    assertEquals(addressPrefix(address), prefix, address);
  }
});

Deno.test("TokenBuckets gives capacity at once and the rest by time", () => {
  const buckets = new TokenBuckets({ capacity: 3, refillPerSecond: 3 });
  const take = (nowMs: number, address = "tcp://192.0.2.1:1") =>
    buckets.take(address, nowMs);
  const start = 1e9;
  assertEquals([1, 2, 3, 4].map(() => take(start)), [true, true, true, false]);
  assertEquals(take(start, "tcp://192.0.2.200:5"), false);
  assertEquals(take(start, "tcp://192.0.3.1:1"), true);
  assertEquals([take(start + 300), take(start + 334)], [false, true]);
  assertEquals(take(start + 335), false);
  const later = start + 60_000;
  assertEquals([1, 2, 3, 4].map(() => take(later)), [true, true, true, false]);
});

Deno.test("TokenBuckets has 60 tokens and one a second by default", () => {
  const buckets = new TokenBuckets();
  const granted = (nowMs: number) =>
    Array.from({ length: 100 }, () => buckets.take("tcp://192.0.2.1:1", nowMs))
      .filter((ok) => ok).length;
  assertEquals([granted(0), granted(5_000), granted(1e6)], [60, 5, 60]);
});

Deno.test("TokenBuckets keeps an empty bucket empty, however many networks come", () => {
  const buckets = new TokenBuckets({ capacity: 10, maxPrefixes: 100 });
  const drain = () => {
    let taken = 0;
    while (buckets.take("tcp://192.0.2.1:1", 0)) taken++;
    return taken;
  };
  assertEquals(drain(), 10);
  let granted = 0;
  for (let i = 0; i < 5_000; i++) {
    if (buckets.take(`tcp://10.${i >> 8}.${i & 255}.1:1`, 0)) granted++;
    assertLessOrEqual(buckets.size, 100);
  }
  assertEquals(granted, 99 + 10, "99 own buckets and the shared one");
  assertEquals(drain(), 0);
});

Deno.test("TokenBuckets makes room by dropping buckets that are full again", () => {
  const buckets = new TokenBuckets({ capacity: 10, maxPrefixes: 100 });
  for (let i = 0; i < 5_000; i++) {
    const address = `tcp://10.${i >> 8}.${i & 255}.1:1`;
    assertEquals(buckets.take(address, i * 11), true);
    assertLessOrEqual(buckets.size, 100);
  }
});

Deno.test("TokenBuckets refuses limits that let nobody in", () => {
  for (
    const bad of [{ capacity: 0 }, { refillPerSecond: -1 }, {
      maxPrefixes: NaN,
    }]
  ) {
    assertThrows(() => new TokenBuckets(bad), RangeError);
  }
});
