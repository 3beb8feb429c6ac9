import { assertEquals } from "@std/assert";
import { ID_SPAN, KnownBundles } from "../../src/betanet_cla/known_bundles.ts";

Deno.test("KnownBundles takes a number once, in any order, while it is within 256 of the highest", () => {
  const known = new KnownBundles();
  for (const id of [3, 0, 300, 45]) assertEquals(known.claim(id), "new");
  assertEquals(known.claim(300), "known");
  assertEquals(known.claim(45), "known");
  assertEquals(known.claim(300 - ID_SPAN), "over");
  assertEquals(known.claim(3), "over");
  assertEquals(known.claim(0xffffffff), "new");
  assertEquals(known.claim(300), "over");
});

Deno.test("KnownBundles remembers the first decision, tells who asked last, and forgets what is over", () => {
  const known = new KnownBundles();
  const told: unknown[] = [];
  known.claim(7);
  assertEquals(known.decision(7), undefined);
  for (let i = 0; i < 10_000; i++) {
    known.whenDecided(7, (refusal) => told.push([i, refusal]));
  }
  known.decide(7, "noResources");
  known.decide(7, undefined);
  known.whenDecided(7, (refusal) => told.push(["asked", refusal]));
  assertEquals(told, [[9_999, "noResources"], ["asked", "noResources"]]);
  assertEquals(known.decision(7), { refusal: "noResources" });
  known.claim(7 + ID_SPAN);
  assertEquals(known.decision(7), undefined);
  known.decide(7, undefined);
  assertEquals(known.decision(7 + ID_SPAN), undefined);
});
