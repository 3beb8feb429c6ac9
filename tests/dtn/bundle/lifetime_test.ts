import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  applyBlockFlags,
  BLOCK_FLAG,
  BLOCK_TYPE,
  bundleId,
  createBundle,
  CreationTimestamps,
  decodeBundle,
  dtnTime,
  Eid,
  encodeBundle,
  remainingLifetimeMs,
  unixTime,
  withBundleAge,
} from "../../../src/dtn/mod.ts";

function make(timeMs: number, flags: readonly number[] = []) {
  return createBundle({
    source: Eid.parse("dtn://n1/app"),
    destination: Eid.parse("ipn:2.7"),
    creation: { timeMs, sequence: 4 },
    lifetimeMs: 60_000,
    payload: new Uint8Array(10),
    extensions: flags.map((each, i) => ({
      type: 200 + i,
      data: new Uint8Array(0),
      flags: each,
    })),
  });
}

Deno.test("DTN time begins with the year 2000", () => {
  assertEquals(dtnTime(Date.UTC(2000, 0, 1, 0, 0, 1)), 1_000);
  assertEquals(dtnTime(0), 1); // 0 would say that there is no clock
  assertEquals(unixTime(dtnTime(1_796_000_000_123.7)), 1_796_000_000_123);
});

Deno.test("CreationTimestamps differ while the clock stands still, goes back or is missing", () => {
  const timestamps = new CreationTimestamps();
  const at = dtnTime(1_796_000_000_000);
  const next = (unixMs?: number) => timestamps.next(unixMs);
  assertEquals(next(), { timeMs: 0, sequence: 0 });
  assertEquals(next(), { timeMs: 0, sequence: 1 });
  assertEquals(next(1_796_000_000_000), { timeMs: at, sequence: 0 });
  assertEquals(next(1_796_000_000_000), { timeMs: at, sequence: 1 });
  assertEquals(next(1_795_000_000_000), { timeMs: at, sequence: 2 });
  assertEquals(next(1_796_000_000_001), { timeMs: at + 1, sequence: 0 });
  assertEquals(new CreationTimestamps(40).next(undefined).sequence, 40);
});

Deno.test("remainingLifetimeMs() goes by the clock, else by the age and the time here", () => {
  const bundle = make(1_000);
  const remaining = (timed: typeof bundle, dtnTimeMs?: number) =>
    remainingLifetimeMs(timed, { dtnTimeMs, residenceMs: 500 });
  assertEquals(remaining(bundle, 1_000), 60_000);
  assertEquals(remaining(bundle, 61_000), 0);
  assertEquals(remaining(bundle), 59_500);
  assertEquals(remaining(withBundleAge(bundle, 59_000)), 500);
  assertEquals(remaining(withBundleAge(bundle, 59_000), 2_000), 59_000);
  assertEquals(remaining(withBundleAge(make(0), 60_000), 9 ** 12), -500);
  const huge = {
    ...bundle,
    primary: { ...bundle.primary, lifetimeMs: 2n ** 64n - 1n },
  };
  assert(remaining(huge, 1) > 2 ** 63);
});

Deno.test("bundleId() names bundles as dtn7-rs does, and tells fragments apart", () => {
  const bundle = make(1_000);
  assertEquals(bundleId(bundle), "dtn://n1/app-1000-4");
  const fragment = { offset: 30, totalLength: 90 };
  assertEquals(
    bundleId({ ...bundle, primary: { ...bundle.primary, fragment } }),
    "dtn://n1/app-1000-4-30-10",
  );
});

Deno.test("applyBlockFlags() keeps, discards and deletes as the blocks say that nobody can process", () => {
  const nothing = () => false;
  const kept = make(1, [0, BLOCK_FLAG.replicate]);
  assertEquals(applyBlockFlags(kept, nothing), { bundle: kept, report: false });
  const bundle = make(1, [BLOCK_FLAG.discardBlock, 0x12, 0]);
  const outcome = applyBlockFlags(bundle, nothing);
  assertEquals(outcome.report, true);
  assertEquals(outcome.bundle!.blocks.map(({ type }) => type), [202, 1]);
  assertEquals(decodeBundle(encodeBundle(outcome.bundle!)), outcome.bundle!);
  assertEquals(
    applyBlockFlags(bundle, ({ type }) => type !== BLOCK_TYPE.payload).bundle,
    bundle,
  );
  assertEquals(
    applyBlockFlags(make(1, [0, BLOCK_FLAG.deleteBundle]), nothing),
    {
      bundle: undefined,
      report: false,
    },
  );
  assertThrows(() => encodeBundle(make(-1)), RangeError);
});
