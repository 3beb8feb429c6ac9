import { delay, systemClock } from "../../src/core/async/mod.ts";
import {
  deadlineScheduler,
  fifoScheduler,
  lyapunovScheduler,
  type Scheduler,
  simulation,
} from "../../src/dtn/mod.ts";
import { oneOf } from "../_flags.ts";
import { type Command, command } from "../_main.ts";
import { table } from "../_table.ts";
import { flagAs, numberIn } from "./flag_as.ts";
import { planned, SCENARIOS, scenariosOf } from "./scenarios.ts";

const USAGE = `
Usage: betanet-dtn simulate [linear|star|mesh]… [flags]
       betanet-dtn simulate --plan <file>|- [flags]

Plays bundles over contacts in simulated time, and prints what each scheduler makes of them; the same each time for the same flags.
linear is five nodes in a line for 300 s, star five leaves around a hub for 300 s, mesh eight nodes for 600 s, each with a slow and cheap
and a fast and dear layer; all three if none is named. Over a plan nothing costs anything.

  --plan <file>        contacts, as betanet-dtn contact-plan takes them
  --scheduler <name>   fifo, edf or lyapunov; may be repeated; all three if absent
  --v <n>              V of lyapunov; the scenario's own if absent, 1 for a plan
  --rate <n>           bundles that are made in a second, in the first 60 % of the time (4)
  --seed <n>           decides contacts, bundles and losses; the scenario's own if absent, 1 for a plan
  --size <size>        of each bundle over a plan (1kB)
  --lifetime <time>    of each bundle over a plan; none expires if absent

Examples:
  betanet-dtn simulate
  betanet-dtn simulate star --scheduler fifo --scheduler lyapunov --v 2 --rate 12 --seed 7
  betanet-dtn simulate --plan contacts.txt --rate 0.1 --size 64KiB --json
`;

const SCHEDULERS = ["fifo", "edf", "lyapunov"] as const;

/** Compares schedulers in simulated time. */
export const simulate: Command = command({
  usage: USAGE,
  flags: {
    plan: "string",
    scheduler: "strings",
    v: "string",
    rate: "string",
    seed: "string",
    size: "string",
    lifetime: "string",
  },
  operands: [0, Object.keys(SCENARIOS).length],
  async run(flags, context) {
    const v = flags.v === undefined
      ? undefined
      : flagAs("v", flags.v, numberIn(0, 1e9));
    const schedulers = flags.scheduler.length > 0
      ? flags.scheduler.map((each) => oneOf("scheduler", each, SCHEDULERS))
      : SCHEDULERS;
    const scenarios = flags.plan === undefined
      ? scenariosOf(context.operands, flags)
      : [await planned(flags.plan, flags, context)];
    const rows: Row[] = [];
    for (const scenario of scenarios) {
      for (const name of schedulers) {
        context.note(
          `${scenario.name}, ${name}: ${scenario.bundles.length} bundles`,
        );
        await delay(systemClock, 0, { signal: context.signal });
        rows.push(rowOf(scenario, name, v ?? scenario.v));
      }
    }
    context.print(
      rows,
      table(
        HEAD,
        rows.map((row) => [
          ...[
            row.scenario,
            row.scheduler,
            row.v ?? "",
            row.bundles,
            row.delivered,
          ],
          ...[row.expired, row.underWay, row.refused],
          ...[row.meanDelayS, row.p95DelayS].map((each) => each.toFixed(1)),
          ...[
            row.energy,
            row.money,
            row.exposedBytes / 1_000,
            row.maxBacklogBytes / 1_000,
          ]
            .map((each) => Math.round(each)),
        ]),
      ),
    );
  },
});

type Row = ReturnType<typeof rowOf>;

const HEAD = [
  ...["scenario", "scheduler", "V", "bundles", "delivered", "expired"],
  ...["under way", "refused", "mean s", "95 % s", "energy", "money"],
  ...["exposed kB", "backlog kB"],
];

function rowOf(
  scenario: simulation.Scenario,
  name: typeof SCHEDULERS[number],
  v: number,
) {
  const { delaysMs, ...result } = simulation.simulate(
    scenario,
    () => schedulerOf(name, v, scenario.energyWeight),
  );
  const sumMs = delaysMs.reduce((a, b) => a + b, 0);
  return {
    scenario: scenario.name,
    scheduler: name,
    ...name === "lyapunov" && { v },
    seed: scenario.seed,
    bundles: scenario.bundles.length,
    ...result,
    meanDelayS: sumMs / Math.max(delaysMs.length, 1) / 1_000,
    p95DelayS: (delaysMs[Math.ceil(0.95 * delaysMs.length) - 1] ?? 0) / 1_000,
  };
}

function schedulerOf(
  name: typeof SCHEDULERS[number],
  v: number,
  energyWeight: number,
): Scheduler {
  if (name === "fifo") return fifoScheduler();
  return name === "edf"
    ? deadlineScheduler()
    : lyapunovScheduler({ v, energyWeight });
}
