import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  CALIBRATION_SAMPLES,
  Calibrations,
  deviations,
  type OriginTraits,
} from "../../src/htx/calibration.ts";

const NGINX: OriginTraits = {
  alpn: "h2",
  resumed: false,
  settings: [[3, 128], [4, 65_536], [5, 16_777_215]],
  windowUpdate: 2_147_418_112,
  ticketLengths: [233, 233],
};
const signal = new AbortController().signal;

Deno.test("deviations() finds none in what the origin showed", () => {
  assertEquals(deviations([NGINX], NGINX), []);
});

Deno.test("deviations() names each trait that differs, with both values", () => {
  const cases: readonly [Partial<OriginTraits>, string, string, string][] = [
    [{ alpn: "http/1.1" }, "alpn", "h2", "http/1.1"],
    [{ alpn: undefined }, "alpn", "h2", "none"],
    [
      { settings: [[4, 65_536], [3, 128], [5, 16_777_215]] },
      "settings",
      "3,4,5",
      "4,3,5",
    ],
    [{ settings: [[3, 128], [4, 65_536]] }, "settings", "3,4,5", "3,4"],
    [
      { settings: [[3, 100], [4, 65_536], [5, 16_777_215]] },
      "settings[3]",
      "128",
      "100",
    ],
    [{ windowUpdate: 0 }, "windowUpdate", "2147418112", "0"],
    [{ ticketLengths: [233] }, "ticketLengths", "233,233", "233"],
    [{ ticketLengths: [233, 249] }, "ticketLengths", "233,233", "233,249"],
  ];
  for (const [change, trait, expected, got] of cases) {
    assertEquals(deviations([NGINX], { ...NGINX, ...change }), [
      { trait, expected, got },
    ]);
  }
});

Deno.test("deviations() allows 15 % about the range of a setting that varies, and none if it does not", () => {
  const withWindow = (value: number): OriginTraits => ({
    ...NGINX,
    settings: [[4, value]],
  });
  const samples = [withWindow(1_000), withWindow(2_000)];
  for (const value of [850, 1_000, 1_500, 2_300]) {
    assertEquals(deviations(samples, withWindow(value)), []);
  }
  for (const value of [849, 2_301]) {
    assertEquals(deviations(samples, withWindow(value)), [
      { trait: "settings[4]", expected: "1000..2000", got: `${value}` },
    ]);
  }
  assertEquals(deviations([withWindow(1_000)], withWindow(1_001)).length, 1);
});

Deno.test("Calibrations.of() asks the origin before every connection, and keeps the last samples", async () => {
  let asked = 0;
  const calibrations = new Calibrations({
    preflight: () => Promise.resolve({ ...NGINX, windowUpdate: asked++ }),
    clock: new VirtualClock(),
    crypto: nodeProvider,
  });
  for (let i = 1; i <= 10; i++) {
    const samples = await calibrations.of("a", { signal });
    assertEquals(asked, i);
    assertEquals(samples.length, Math.min(i, CALIBRATION_SAMPLES));
    assertEquals(samples.at(-1)!.windowUpdate, i - 1);
  }
});

Deno.test("Calibrations.of() reuses a pre-flight for a random half to whole of the reuse time", async () => {
  const intervals: number[] = [];
  for (let run = 0; run < 100; run++) {
    const clock = new VirtualClock();
    let asked = 0;
    const calibrations = new Calibrations({
      preflight: () => Promise.resolve({ ...NGINX, windowUpdate: asked++ }),
      reuseMs: 1_000,
      clock,
      crypto: nodeProvider,
    });
    for (; asked < 2; clock.advance(10)) await calibrations.of("a", { signal });
    intervals.push(clock.now());
  }
  assert(Math.min(...intervals) >= 500 && Math.min(...intervals) < 600);
  assert(Math.max(...intervals) <= 1_020 && Math.max(...intervals) > 900);
});

Deno.test("Calibrations.of() fails with the pre-flight, and remembers no more than its bound", async () => {
  const asked: string[] = [];
  let isDown = true;
  const calibrations = new Calibrations({
    preflight: (origin) => {
      asked.push(origin);
      return isDown
        ? Promise.reject(new Error("down"))
        : Promise.resolve(NGINX);
    },
    reuseMs: 1e9,
    maxOrigins: 2,
    clock: new VirtualClock(),
    crypto: nodeProvider,
  });
  await assertRejects(() => calibrations.of("a", { signal }), Error, "down");
  isDown = false;
  for (const origin of ["a", "b", "c", "c", "b", "a"]) {
    await calibrations.of(origin, { signal });
  }
  assertEquals(asked, ["a", "a", "b", "c", "a"]);
  calibrations.forget("c");
  await calibrations.of("c", { signal });
  assertEquals(asked.at(-1), "c");
});

Deno.test("Calibrations.of() shares a pre-flight under way, and keeps samples that come one behind the other", async () => {
  const answers: ((traits: OriginTraits) => void)[] = [];
  const calibrations = new Calibrations({
    preflight: () => new Promise((resolve) => answers.push(resolve)),
    clock: new VirtualClock(),
    crypto: nodeProvider,
  });
  const asking = ["a", "a", "b", "a"].map((origin) =>
    calibrations.of(origin, { signal })
  );
  for (const answer of answers) answer(NGINX);
  const samples = await Promise.all(asking);
  assertEquals([answers.length, ...samples.map((each) => each.length)], [
    2,
    1,
    1,
    1,
    1,
  ]);
  const again = calibrations.of("a", { signal });
  answers[2]!(NGINX);
  assertEquals((await again).length, 2);
});

Deno.test("Calibrations.of() aborts a pre-flight that nobody waits for, and asks anew", async () => {
  const signals: AbortSignal[] = [];
  const calibrations = new Calibrations({
    preflight: (_, options) => {
      signals.push(options.signal);
      return signals.length > 1
        ? Promise.resolve(NGINX)
        : new Promise(() => {});
    },
    clock: new VirtualClock(),
    crypto: nodeProvider,
  });
  const callers = [new AbortController(), new AbortController()];
  const asking = callers.map((caller) => calibrations.of("a", caller));
  for (const [at, caller] of callers.entries()) {
    assertEquals(signals[0]!.aborted, false);
    caller.abort(new Error("Enough"));
    await assertRejects(() => asking[at]!, Error, "Enough");
  }
  assertEquals(signals[0]!.aborted, true);
  assertEquals((await calibrations.of("a", { signal })).length, 1);
});
