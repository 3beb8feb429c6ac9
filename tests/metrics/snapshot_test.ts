import { assertEquals } from "@std/assert";
import { quantile } from "../../src/core/metrics/snapshot.ts";

Deno.test("quantile() interpolates within a bucket", () => {
  const buckets = [
    { end: 1, count: 10 },
    { end: 2, count: 10 },
    { end: 4, count: 30 },
    { end: Infinity, count: 40 },
  ];
  assertEquals(quantile(0.125, buckets), 0.5);
  assertEquals(quantile(0.25, buckets), 1);
  assertEquals(quantile(0.5, buckets), 3);
  assertEquals(quantile(0.75, buckets), 4);
});

Deno.test("quantile() gives the last end for values beyond it, and NaN without values", () => {
  assertEquals(
    quantile(0.95, [{ end: 8, count: 0 }, { end: Infinity, count: 5 }]),
    8,
  );
  assertEquals(quantile(0.5, [{ end: Infinity, count: 0 }]), NaN);
  assertEquals(quantile(0.5, []), NaN);
});
