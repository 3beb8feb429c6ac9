import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type LyapunovOptions,
  lyapunovScheduler,
} from "../../../src/dtn/schedule/lyapunov_scheduler.ts";
import type {
  ContactCost,
  Scheduler,
} from "../../../src/dtn/schedule/scheduler.ts";
import { contact, waiting } from "./_bundle.ts";

const UNIT = { energyWeight: 1, utilities: [0, 0, 0], agingKbPerS: 0 } as const;

/** Fills `scheduler` with one flow per letter, as many bundles each as the letter occurs. */
function fill(scheduler: Scheduler, letters: string): void {
  for (const [i, destination] of [...letters].entries()) {
    assert(scheduler.add(waiting(`${destination}${i}`, { destination }), "b"));
  }
}

function take(scheduler: Scheduler, over = contact(), nowMs = 0) {
  return scheduler.next(over, nowMs)?.id;
}

/** A kB comes each second, and goes over the contact of that second, if it is to go. */
function run(
  options: LyapunovOptions,
  seconds: number,
  cost: (s: number) => ContactCost,
) {
  const scheduler = lyapunovScheduler(options);
  const over = { energy: 0, money: 0, backlog: 0, sent: 0 };
  for (let s = 0; s < seconds; s++) {
    scheduler.add(waiting(`${s}`, { receivedMs: s * 1_000 }), "b");
    const at = cost(s);
    for (;;) {
      const bundle = scheduler.next(at, s * 1_000);
      if (!bundle) break;
      scheduler.sent(bundle, at, s * 1_000);
      over.energy += bundle.size * at.energyPerByte / seconds;
      over.money += bundle.size * at.moneyPerByte / seconds;
      over.sent++;
    }
    over.backlog += scheduler.size / seconds;
  }
  return over;
}

Deno.test("lyapunovScheduler() with V = 0 serves the longest backlog, whatever it costs", () => {
  const scheduler = lyapunovScheduler({ v: 0 });
  fill(scheduler, "aabbbbc");
  const dear = contact({ energyPerByte: 9, moneyPerByte: 9, exposure: 1 });
  const order = Array.from({ length: 7 }, () => take(scheduler, dear)?.[0]);
  assertEquals(order.join(""), "bbababc");
  assertEquals([scheduler.size, take(scheduler)], [0, undefined]);
});

Deno.test("lyapunovScheduler() counts backlogs in bytes, and decides for each byte", () => {
  const scheduler = lyapunovScheduler({ v: 0 });
  scheduler.add(waiting("long", { destination: "x", size: 2_500 }), "b");
  fill(scheduler, "yyy");
  assertEquals(take(scheduler), "y0");
  assertEquals(take(scheduler), "long");
});

Deno.test("lyapunovScheduler() lets a flow wait until its backlog is worth V times the cost", () => {
  for (const v of [2, 4, 9]) {
    const scheduler = lyapunovScheduler({ ...UNIT, v });
    const dear = contact({ energyPerByte: 0.001 });
    for (let kb = 1; kb <= v; kb++) {
      scheduler.add(waiting(`${kb}`), "b");
      assertEquals(take(scheduler, dear), undefined);
    }
    scheduler.add(waiting("last"), "b");
    assertEquals(take(scheduler, dear), "1");
    assertEquals(take(scheduler, dear), undefined);
    assertEquals(take(scheduler), "2");
  }
});

Deno.test("lyapunovScheduler() weighs energy, money, exposure, reliability and class of service", () => {
  const sends = (
    options: LyapunovOptions,
    over: Partial<ContactCost>,
    priority: 0 | 1 | 2 = 1,
  ) => {
    const scheduler = lyapunovScheduler({ v: 10, agingKbPerS: 0, ...options });
    scheduler.add(waiting("one", { priority }), "b");
    return take(scheduler, contact(over)) === "one";
  };
  // The gain of 1 kB that waits is ρ·(1 + 10·u) − 10·weight·cost.
  assertEquals(
    [1, 1.2].map((moneyWeight) =>
      sends({ moneyWeight }, { moneyPerByte: 0.001 })
    ),
    [true, false],
  );
  assertEquals(
    [1, 1.2].map((energyWeight) =>
      sends({ energyWeight }, { energyPerByte: 0.001 })
    ),
    [true, false],
  );
  assertEquals(
    [0.5, 1].map((exposure) => sends({ privacyWeight: 2 }, { exposure })),
    [true, false],
  );
  assertEquals(
    [0.9, 0.5].map((reliability) =>
      sends({ moneyWeight: 0.6 }, { reliability, moneyPerByte: 0.001 })
    ),
    [true, false],
  );
  assertEquals(
    ([2, 1, 0] as const).map((priority) =>
      sends({ moneyWeight: 0.8 }, { moneyPerByte: 0.001 }, priority)
    ),
    [true, true, false],
  );
});

Deno.test("lyapunovScheduler() serves what expires first of a flow, and nothing that would come too late", () => {
  const scheduler = lyapunovScheduler();
  for (const expiresMs of [5_000, 900, 3_000, 1_500]) {
    scheduler.add(waiting(`${expiresMs}`, { expiresMs }), "b");
  }
  assertEquals(take(scheduler, contact({ latencyMs: 500 }), 901), undefined);
  assertEquals(scheduler.size, 3);
  assertEquals(take(scheduler, contact(), 500), "1500");
  assertEquals(take(scheduler, contact(), 500), "3000");
  assertEquals(take(scheduler, contact(), 4_001), undefined);
  assertEquals(take(scheduler, contact(), 4_000), "5000");
});

Deno.test("lyapunovScheduler() keeps what is spent in the mean within the budgets", () => {
  const cost = (s: number) =>
    contact({ energyPerByte: s % 3 ? 0.004 : 0.001, moneyPerByte: 0.002 });
  const free = run({ v: 1, utilities: [9, 9, 9] }, 20_000, cost);
  assert(free.energy > 2.9 && free.money > 1.9, JSON.stringify(free));
  for (const v of [0, 1, 20]) {
    const bound = { v, utilities: [9, 9, 9] as const, agingKbPerS: 0.1 };
    const feasible = run({ ...bound, energyPerS: 1.5 }, 20_000, cost);
    assert(feasible.energy <= 1.5 * 1.01, `${v}: ${feasible.energy}`);
    assert(feasible.sent > 0.99 * 20_000, `${v}: ${feasible.sent}`);
  }
});

Deno.test("lyapunovScheduler() spends what a budget gives, and hardly more, on more than it can carry", () => {
  const over = run(
    { moneyPerS: 0.5, maxWaiting: 50 },
    20_000,
    () => contact({ moneyPerByte: 0.002 }),
  );
  assert(over.money > 0.49 && over.money < 0.51, `${over.money}`);
  assertEquals(Math.round(over.backlog), 50);
});

Deno.test("lyapunovScheduler()'s backlog grows as V, and its penalty falls towards the least", () => {
  // Every tenth second is cheap: to wait for it costs 0.1, never to wait 0.91.
  const cost = (s: number) =>
    contact({ energyPerByte: s % 10 ? 0.001 : 0.0001 });
  const runs = [0, 1, 2, 4, 8, 16].map((v) =>
    run({ ...UNIT, v }, 10_000, cost)
  );
  const energies = runs.map(({ energy }) => energy);
  const backlogs = runs.map(({ backlog }) => backlog);
  assertEquals(energies.map((each) => each.toFixed(2)), [
    ...["0.91", "0.82", "0.73", "0.55", "0.19", "0.10"],
  ]);
  for (const [i, backlog] of backlogs.entries()) {
    const v = [0, 1, 2, 4, 8, 16][i]!;
    assert(backlog <= v + 1, `V ${v}: ${backlog}`);
    assert(i === 0 || backlog > backlogs[i - 1]! - 1e-9, `V ${v}: ${backlog}`);
    assert(energies[i]! - 0.1 <= 5 / Math.max(v, 1), `V ${v}: ${energies[i]}`);
  }
});

Deno.test("lyapunovScheduler() lets no flow wait for ever", () => {
  const scheduler = lyapunovScheduler({ v: 100, energyWeight: 1 });
  scheduler.add(waiting("alone", { destination: "y", priority: 0 }), "b");
  const dear = contact({ energyPerByte: 0.003 });
  const goneMs: number[] = [];
  for (let s = 0; s < 10_000; s++) {
    for (const n of [0, 1, 2]) {
      scheduler.add(waiting(`${s} ${n}`, { receivedMs: s * 1_000 }), "b");
      if (take(scheduler, dear, s * 1_000) === "alone") goneMs.push(s);
    }
  }
  // 1 + 0.1·T + 100·0.5 is above 300 from T = 2,490 s on; the other flow keeps a backlog of 200 kB.
  assertEquals(goneMs.length, 1);
  assert(goneMs[0]! >= 2_490 && goneMs[0]! < 2_600, `${goneMs}`);
});

Deno.test("lyapunovScheduler() decides over a long backlog as fast as over a short one", () => {
  const scheduler = lyapunovScheduler({ ...UNIT, v: 1e9 });
  const dear = contact({ energyPerByte: 1 });
  for (let n = 0; n < 60_000; n++) scheduler.add(waiting(`${n}`), "b");
  const startMs = performance.now();
  for (let n = 0; n < 100_000; n++) {
    assertEquals(take(scheduler, dear), undefined);
  }
  assert(performance.now() - startMs < 5_000);
});

Deno.test("lyapunovScheduler() keeps bundles for each neighbour, up to its bound", () => {
  const scheduler = lyapunovScheduler({ maxWaiting: 3 });
  for (const peer of ["b", "c"]) assert(scheduler.add(waiting("1"), peer));
  assert(scheduler.add(waiting("1"), "b"));
  assert(scheduler.add(waiting("2"), "b"));
  assert(!scheduler.add(waiting("3"), "b"));
  assertEquals(scheduler.size, 3);
  scheduler.remove("1");
  assertEquals([scheduler.size, take(scheduler, contact({ peer: "c" }))], [
    1,
    undefined,
  ]);
  assert(scheduler.add(waiting("3"), "c"));
  scheduler.removePeer("b");
  assertEquals([scheduler.size, take(scheduler)], [1, undefined]);
  assertEquals(take(scheduler, contact({ peer: "c" })), "3");
});

Deno.test("lyapunovScheduler() sends nothing over a contact whose cost is endless or no number", () => {
  for (const v of [0, 1]) {
    const scheduler = lyapunovScheduler({ v });
    scheduler.add(waiting("1"), "b");
    for (const energyPerByte of [Infinity, NaN]) {
      assertEquals(take(scheduler, contact({ energyPerByte })), undefined);
    }
    assertEquals(take(scheduler, contact({ reliability: NaN })), undefined);
    assertEquals(take(scheduler), "1");
  }
});

Deno.test("lyapunovScheduler() refuses options that are no amounts", () => {
  for (
    const bad of [
      { v: -1 },
      { energyWeight: NaN },
      { utilities: [0, -1, 0] as const },
      { energyPerS: 0 },
      { maxWaiting: Infinity },
    ]
  ) {
    assertThrows(() => lyapunovScheduler(bad), RangeError);
  }
});

Deno.test("lyapunovScheduler() gains over a contact what next() decides by, and takes nothing to say so", () => {
  const scheduler = lyapunovScheduler({ v: 10, agingKbPerS: 0 });
  const [free, dear] = [contact(), contact({ moneyPerByte: 0.01 })];
  assertEquals([scheduler.gain(free, 0), scheduler.gain(dear, 0)], [0, 0]);
  for (let i = 0; i < 22; i++) scheduler.add(waiting(`${i}`), "b");
  // 22 kB and V times 1 for free; V times 3 less for money.
  assertEquals([scheduler.gain(free, 0), scheduler.gain(dear, 0)], [32, 2]);
  assertEquals(scheduler.size, 22);
  assert(scheduler.next(dear, 0) && scheduler.next(dear, 0));
  assertEquals([scheduler.gain(dear, 0), scheduler.next(dear, 0)], [
    0,
    undefined,
  ]);
  assertEquals(scheduler.gain(free, 0), 30);
});
