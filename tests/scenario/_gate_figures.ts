/**
 * The table of `mixnet_gate_test.ts` for runs of any length.
 *
 * ```sh
 * deno run -A tests/scenario/_gate_figures.ts [seconds] [share of requests] [seeds of both runs]
 * ```
 *
 * @module
 */
import { clientGroup, nodeGroups, run } from "./_gate_run.ts";
import { judge, tableOf } from "./_gate_verdict.ts";

const [seconds = 216, requestShare = 0.3, coverSeed = 21, realSeed = 22] = Deno
  .args.map(Number);
const clients = 12;
const cover = await run({ seed: coverSeed, clients, seconds });
const real = await run({ seed: realSeed, clients, seconds, requestShare });
const verdict = judge([
  clientGroup(cover, real, 288),
  ...nodeGroups(cover, real, 96),
]);
// deno-lint-ignore no-console -- a measurement
console.log(tableOf(verdict));
