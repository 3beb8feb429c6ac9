/**
 * What schedulers make of the scenarios linear, star and mesh, in simulated time.
 *
 * `deno run -A bench/dtn_scheduling.ts` prints the table of docs/dtn.md and draws its plots, `docs/plots/scheduling_*.svg`. It measures
 * nothing of the machine: the figures are the same everywhere.
 *
 * @module
 */
import { schedulingPlots, schedulingTable } from "./_scheduling_runs.ts";

const folder = new URL("../docs/plots/", import.meta.url);
await Deno.mkdir(folder, { recursive: true });
for (const [name, svg] of Object.entries(schedulingPlots())) {
  await Deno.writeTextFile(new URL(name, folder), svg);
}
// deno-lint-ignore no-console -- the table is for the person who ran this
console.log(schedulingTable());
