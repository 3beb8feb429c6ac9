import { assert, assertEquals, assertThrows } from "@std/assert";
import { lyapunovScheduler } from "../../../src/dtn/schedule/lyapunov_scheduler.ts";
import {
  deadlineScheduler,
  fifoScheduler,
} from "../../../src/dtn/schedule/ordered_scheduler.ts";
import type { Scheduler } from "../../../src/dtn/schedule/scheduler.ts";
import {
  linearScenario,
  meshScenario,
  type PricedContact,
  type Scenario,
  type SimulatedBundle,
  starScenario,
} from "../../../src/dtn/simulation/scenario.ts";
import { seededRandom } from "../../../src/dtn/simulation/seeded_random.ts";
import {
  simulate,
  type SimulationResult,
} from "../../../src/dtn/simulation/simulate.ts";

const SEEDS = [1, 2, 3, 7_919, 15_838, 23_757];

function over(
  from: string,
  to: string,
  startMs: number,
  endMs: number,
  changes: Partial<PricedContact> = {},
): PricedContact {
  return {
    ...{ from, to, startMs, endMs, bytesPerSecond: 1_000, delayMs: 100 },
    ...{ energyPerByte: 0.002, moneyPerByte: 0.001, exposure: 0.5 },
    reliability: 1,
    ...changes,
  };
}

function bundle(
  id: string,
  changes: Partial<SimulatedBundle> = {},
): SimulatedBundle {
  return {
    ...{ id, source: "a", destination: "z", size: 1_000, priority: 1 },
    ...{ receivedMs: 0, expiresMs: 60_000 },
    ...changes,
  };
}

function play(
  contacts: readonly PricedContact[],
  bundles: readonly SimulatedBundle[],
  makeScheduler: () => Scheduler = fifoScheduler,
): SimulationResult {
  const scenario = { name: "drawn", v: 1, energyWeight: 1, seed: 1 };
  return simulate(
    { ...scenario, durationMs: 30_000, contacts, bundles },
    makeScheduler,
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function drift(scenario: Scenario, v = scenario.v): SimulationResult {
  const { energyWeight } = scenario;
  return simulate(scenario, () => lyapunovScheduler({ v, energyWeight }));
}

Deno.test("simulate() takes bundles over two contacts one after the other, and counts what that costs", () => {
  const contacts = [over("a", "b", 1_000, 9_000), over("b", "z", 0, 20_000)];
  assertEquals(play(contacts, [bundle("1"), bundle("2")]), {
    ...{ delivered: 2, expired: 0, underWay: 0, refused: 0 },
    // They leave at 1 s and 2 s; two seconds and 200 ms later they are there.
    delaysMs: [3_200, 4_200],
    ...{ energy: 8, money: 4, exposedBytes: 2_000, maxBacklogBytes: 2_000 },
  });
});

Deno.test("simulate() counts each bundle as delivered, expired, under way or refused", () => {
  const contacts = [over("a", "z", 1_000, 4_500)];
  const bundles = ["1", "2", "3", "4", "5", "6"].map((id) => bundle(id));
  bundles[1] = bundle("2", { expiresMs: 2_050 });
  bundles[4] = bundle("5", { expiresMs: 20_000 });
  const result = play(
    contacts,
    bundles,
    () => fifoScheduler({ maxWaiting: 5 }),
  );
  // The second comes too late, the fourth does not fit into the contact any more, the sixth found the scheduler full.
  const { delivered, expired, underWay, refused } = result;
  assertEquals([delivered, expired, underWay, refused], [2, 2, 1, 1]);
  assertEquals(result.energy, 6);
});

Deno.test("simulate() sends what was lost again, and routes again when a contact ends", () => {
  const lossy = over("a", "z", 0, 30_000, { reliability: 0.5 });
  const bundles = ["1", "2", "3", "4", "5"].map((id) => bundle(id));
  const lost = play([lossy], bundles);
  assertEquals(lost.delivered, 5);
  assert(lost.energy > 10, `${lost.energy}`);
  const detour = [
    over("a", "z", 0, 1_500),
    over("a", "b", 5_000, 9_000),
    over("b", "z", 5_000, 9_000),
  ];
  assertEquals(play(detour, bundles.slice(0, 2)).delaysMs, [1_100, 7_200]);
});

Deno.test("simulate() asks a scheduler that preferred to wait again", () => {
  const contacts = [
    over("a", "z", 0, 20_000),
    over("a", "z", 4_000, 6_000, { energyPerByte: 0 }),
  ];
  const waits = { energyWeight: 2, moneyWeight: 0, privacyWeight: 0 };
  const options = { ...waits, utilities: [0, 0, 0] as const, v: 1 };
  const cheap = play(
    contacts,
    [bundle("1")],
    () => lyapunovScheduler(options),
  );
  assertEquals([cheap.energy, cheap.delaysMs], [0, [5_100]]);
  const aged = play(
    contacts.slice(0, 1),
    [bundle("1")],
    () => lyapunovScheduler({ ...options, agingKbPerS: 1 }),
  );
  // 1 kB and a kB for each second are above 4 after 3 s; the next question is at 3.5 s.
  assertEquals([aged.energy, aged.delaysMs], [2, [4_600]]);
});

for (const scenario of [linearScenario, starScenario, meshScenario]) {
  Deno.test(`${scenario.name}() loses count of no bundle, and plays the same each time`, () => {
    for (const rate of [0.5, 12]) {
      const drawn = scenario(rate);
      assertEquals(scenario(rate), drawn);
      const ways = [fifoScheduler, deadlineScheduler]
        .map((make) => () => simulate(drawn, () => make()));
      for (const way of [...ways, () => drift(drawn), () => drift(drawn, 50)]) {
        const result = way();
        const { delivered, expired, underWay, refused } = result;
        assertEquals(
          delivered + expired + underWay + refused,
          drawn.bundles.length,
        );
        assertEquals([result.delaysMs.length, refused], [delivered, 0]);
        assert(result.delaysMs.every((each) => each > 0 && each <= 120_000));
        if (rate < 1) assertEquals(way(), result);
      }
    }
  });
}

Deno.test("with V = 0 nothing is saved: what drift plus penalty sends costs what first come, first served costs", () => {
  for (
    const scenario of [linearScenario(4), starScenario(4), meshScenario(4)]
  ) {
    const fifo = simulate(scenario, () => fifoScheduler());
    const { delivered, energy } = drift(scenario, 0);
    assertEquals(delivered, fifo.delivered);
    assert(Math.abs(energy / fifo.energy - 1) < 0.02, scenario.name);
  }
});

Deno.test("with V less energy is spent, and bundles wait longer", () => {
  for (
    const scenario of [linearScenario(4), starScenario(4), meshScenario(4)]
  ) {
    const runs = [0, 2, 5, 10].map((v) => drift(scenario, v));
    for (const [i, { energy, delaysMs }] of runs.entries()) {
      if (i === 0) continue;
      const less = runs[i - 1]!;
      assert(energy < less.energy, `${scenario.name} ${i}`);
      assert(mean(delaysMs) > mean(less.delaysMs), `${scenario.name} ${i}`);
    }
  }
});

Deno.test("a V that saves most loses bundles that first come, first served delivers", () => {
  const scenario = starScenario(4);
  const fifo = simulate(scenario, () => fifoScheduler());
  const own = drift(scenario);
  assert(own.energy < 0.1 * fifo.energy, `${own.energy}`);
  assertEquals([fifo.expired, own.expired > 200], [0, true]);
});

Deno.test("where more is to be sent than can be, deadlines decide best, and backlogs better than arrival", () => {
  for (const seed of SEEDS) {
    const scenario = linearScenario(12, seed);
    const fifo = simulate(scenario, () => fifoScheduler());
    const edf = simulate(scenario, () => deadlineScheduler());
    const own = drift(scenario);
    assert(edf.delivered > own.delivered && own.delivered > fifo.delivered);
  }
});

Deno.test("in the star V = 2 saves a quarter of the energy, and loses at most one bundle in a hundred", () => {
  for (const seed of SEEDS) {
    const scenario = starScenario(4, seed);
    const fifo = simulate(scenario, () => fifoScheduler());
    const saving = drift(scenario, 2);
    assert(saving.energy < 0.75 * fifo.energy, `${seed}: ${saving.energy}`);
    assert(saving.delivered >= 0.99 * fifo.delivered, `${seed}`);
  }
});

Deno.test("seededRandom() is even, and wants a seed", () => {
  const random = seededRandom(7);
  const drawn = Array.from({ length: 10_000 }, random);
  assert(drawn.every((each) => each >= 0 && each < 1));
  assert(Math.abs(mean(drawn) - 0.5) < 0.02);
  assertEquals(new Set(drawn).size > 9_990, true);
  assertThrows(() => seededRandom(0), RangeError);
});
