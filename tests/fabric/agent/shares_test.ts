import { assertEquals } from "@std/assert";
import { Shares } from "../../../src/fabric/agent/shares.ts";

/** Takes room for one until there is no more; says how much that was. */
function fill(shares: Shares, who: string): number {
  let count = 0;
  for (; shares.mayTake(who, 1); count++) shares.take(who, 1);
  return count;
}

Deno.test("one that has much leaves the last quarter to those that have little", () => {
  const shares = new Shares(64);
  assertEquals(fill(shares, "one"), 48);
  assertEquals(["two", "three", "four"].map((who) => fill(shares, who)), [
    ...[4, 4, 4],
  ]);
  shares.take("one", -8);
  assertEquals(fill(shares, "two"), 0);
  assertEquals(fill(shares, "five"), 4);
  assertEquals([shares.hasRoom(8), shares.hasRoom(9)], [true, false]);
});

Deno.test("who has nothing may take as much as there is room for", () => {
  const shares = new Shares(16);
  assertEquals(shares.mayTake("one", 15), true);
  shares.take("one", 14);
  assertEquals([shares.mayTake("one", 1), shares.mayTake("two", 2)], [
    ...[false, true],
  ]);
  shares.take("one", -14);
  assertEquals(fill(shares, "one"), 12);
});
