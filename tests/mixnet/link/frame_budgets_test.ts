import { assertEquals, assertThrows } from "@std/assert";
import { FrameBudgets } from "../../../src/mixnet/link/frame_budgets.ts";
import { networkPrefix } from "../../../src/mixnet/link/network_prefix.ts";

const RATE = { framesPerSecond: 10, burstFrames: 5 };

Deno.test("FrameBudgets.spend() says how long a budget stays overdrawn", () => {
  const budgets = new FrameBudgets(RATE, 10);
  assertEquals(budgets.spend("a", 5, 1_000), 0);
  assertEquals(budgets.spend("a", 3, 1_000), 300);
  assertEquals(budgets.spend("b", 5, 1_000), 0);
  assertEquals(budgets.spend("a", 0, 1_300), 0);
  assertEquals(budgets.spend("a", 6, 60_000), 100);
});

Deno.test("FrameBudgets forgets none that is spent: keys beyond its bound share one", () => {
  const budgets = new FrameBudgets(RATE, 2);
  budgets.spend("a", 5, 0);
  budgets.spend("b", 5, 0);
  assertEquals(budgets.spend("c", 5, 0), 0);
  assertEquals(budgets.spend("d", 5, 0), 500);
  assertEquals(budgets.spend("a", 1, 0), 100);
  assertEquals(budgets.spend("e", 5, 2_000), 0);
  assertEquals(budgets.spend("e", 1, 2_000), 100);
});

Deno.test("FrameBudgets wants limits above 0", () => {
  assertThrows(() => new FrameBudgets(RATE, 0), RangeError);
  const none = { framesPerSecond: 0, burstFrames: 1 };
  assertThrows(() => new FrameBudgets(none, 1), RangeError);
});

Deno.test("networkPrefix() is the first 24 bits of IPv4 and 56 of IPv6, else the host", () => {
  const cases: [string, string][] = [
    ["tcp://192.0.2.77:9000", "c00002"],
    ["quic://[2001:db8:1:2345::1]:1", "20010db8000123"],
    ["tcp://[::ffff:192.0.2.1]:1", "c00002"],
    ["tcp://[fe80::1%eth0]:1", "fe800000000000"],
    ["memory://alice:49152", "alice"],
    ["nonsense", ""],
  ];
  for (const [address, network] of cases) {
    assertEquals(networkPrefix(address), network, address);
  }
});
