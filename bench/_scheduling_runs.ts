import {
  deadlineScheduler,
  fifoScheduler,
  lyapunovScheduler,
  simulation,
} from "../src/dtn/mod.ts";
import { linePlot } from "./_line_plot.ts";

const { linearScenario, meshScenario, simulate, starScenario } = simulation;
const SCENARIOS = [linearScenario, starScenario, meshScenario];
const RATES = [4, 12];
const TABLE_VS = [0.5, 2, 10, 50];
const PLOT_VS = [0, 0.5, 1, 2, 5, 10, 20, 50];
const PLOT_RATE = 4;

/** What every scheduler makes of every scenario under moderate and heavy traffic, as a Markdown table. */
export function schedulingTable(): string {
  const head = ["scenario", "scheduler", "delivered", "expired"];
  const figures = ["mean s", "95 % s", "energy", "money", "backlog kB"];
  const rows = SCENARIOS.flatMap((make) =>
    RATES.flatMap((rate) => {
      const scenario = make(rate);
      return schedulersFor(scenario).map(([name, makeScheduler]) => [
        `${scenario.name}, ${rate}/s`,
        name,
        ...figuresOf(simulate(scenario, makeScheduler)),
      ]);
    })
  );
  const rule = [...head, ...figures].map((_, i) => i < 2 ? "---" : "---:");
  return [[...head, ...figures], rule, ...rows]
    .map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/** Plots of V against delay and against energy, as SVG, by file name. */
export function schedulingPlots(): Record<string, string> {
  const sweeps = SCENARIOS.map((make) => {
    const scenario = make(PLOT_RATE);
    const runs = PLOT_VS.map((v) => simulate(scenario, lyapunov(scenario, v)));
    return { name: scenario.name, runs };
  });
  const plot = (title: string, valueOf: (run: Run) => number) =>
    linePlot({
      title,
      across: "V",
      at: PLOT_VS.map(String),
      lines: sweeps.map(({ name, runs }) => ({
        name,
        values: runs.map(valueOf),
      })),
    });
  return {
    "scheduling_delay.svg": plot("mean delay of what is delivered, s", meanS),
    "scheduling_energy.svg": plot(
      "energy for each bundle that is delivered",
      ({ energy, delivered }) => energy / delivered,
    ),
    "scheduling_expired.svg": plot(
      "bundles that expire, %",
      ({ expired, delivered, underWay }) =>
        100 * expired / (expired + delivered + underWay),
    ),
  };
}

type Run = simulation.SimulationResult;

function schedulersFor(scenario: simulation.Scenario) {
  return [
    ["fifo", () => fifoScheduler()],
    ["edf", () => deadlineScheduler()],
    ...TABLE_VS.map((v) =>
      [
        v === scenario.v ? `lyapunov, **V ${v}**` : `lyapunov, V ${v}`,
        lyapunov(scenario, v),
      ] as const
    ),
  ] as const;
}

function lyapunov({ energyWeight }: simulation.Scenario, v: number) {
  return () => lyapunovScheduler({ v, energyWeight });
}

function meanS({ delaysMs }: Run): number {
  return delaysMs.reduce((a, b) => a + b, 0) / delaysMs.length / 1_000;
}

function figuresOf(run: Run): (string | number)[] {
  const { delaysMs, delivered, expired, underWay, refused } = run;
  if (underWay + refused > 0) throw new Error("The table has no column for it");
  const p95Ms = delaysMs[Math.ceil(0.95 * delaysMs.length) - 1]!;
  return [
    ...[delivered, expired],
    ...[meanS(run).toFixed(1), (p95Ms / 1_000).toFixed(1)],
    ...[run.energy, run.money, run.maxBacklogBytes / 1_000]
      .map((each) => each.toFixed(0)),
  ];
}
