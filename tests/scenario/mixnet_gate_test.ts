/**
 * Whether an observer of links can tell a mixnet in which people talk from one in which they are silent: two runs of the real parts on
 * a virtual clock, every write recorded, and everything we know of to tell them apart. And whether this would be noticed: clients
 * whose cover is not as it should be. `_gate_figures.ts` prints the table of longer runs, `_gate_sockets.ts` one of real sockets.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  BARE_PADDING,
  type ClientFault,
  MARKED_FRAMES,
  SHORT_FRAMES,
  SPLIT_WRITES,
  uniformGaps,
} from "./_client_fault.ts";
import {
  clientGroup,
  nodeGroups,
  run,
  UPLINK_PER_SECOND,
} from "./_gate_run.ts";
import { judge, tableOf } from "./_gate_verdict.ts";

const CLIENTS = 12;
const SECONDS = 72;
const CLIENT_WINDOW_MS = 288;
const NODE_WINDOW_MS = 96;

/** Each of {@link FAULTY} clients, and the statistic that is there to notice it. */
const FAULTS: readonly (readonly [string, ClientFault, string])[] = [
  ["a wrong delay law", uniformGaps(UPLINK_PER_SECOND), "gaps, KS"],
  ["frames in two writes", SPLIT_WRITES, "lengths of writes"],
  ["short frames", SHORT_FRAMES, "lengths of writes"],
  ["a constant byte", MARKED_FRAMES, "bytes, χ² at each place, cover"],
  ["bare padding", BARE_PADDING, "bytes, χ² of uniform, cover"],
];
const FAULTY = 2;

Deno.test("nobody who watches links can tell talking clients from silent ones, unless their cover is faulty", async (t) => {
  const cover = await run({ seed: 11, clients: CLIENTS, seconds: SECONDS });
  const real = await run({
    seed: 12,
    clients: CLIENTS,
    seconds: SECONDS,
    requestShare: 0.3,
  });
  assertEquals(cover.packets.real, 0);
  assert(real.packets.real > 3 * real.packets.cover);
  assertEquals([cover.dropped, real.dropped], [0, 0]);

  await t.step("links of clients", () => {
    const verdict = judge([clientGroup(cover, real, CLIENT_WINDOW_MS)]);
    print(tableOf(verdict));
    assertEquals(verdict.failed, []);
  });

  await t.step("links of nodes", () => {
    const verdict = judge(nodeGroups(cover, real, NODE_WINDOW_MS));
    print(tableOf(verdict));
    assertEquals(verdict.failed, []);
  });

  const faulty = await run({
    seed: 13,
    clients: FAULTY * FAULTS.length,
    seconds: 30,
    faults: FAULTS.flatMap(([, fault]) =>
      Array.from({ length: FAULTY }, () => fault)
    ),
  });
  for (const [i, [name, , statistic]] of FAULTS.entries()) {
    await t.step(`cover with ${name}`, () => {
      const clients = Array.from(
        { length: FAULTY },
        (_, k) => `client${FAULTY * i + k}`,
      );
      const { failed, leastP } = judge([
        clientGroup(
          faulty,
          real,
          CLIENT_WINDOW_MS,
          (client) => clients.includes(client),
        ),
      ]);
      print(
        `cover with ${name}:\n${tableOf({ findings: failed, failed, leastP })}`,
      );
      assert(failed.some((finding) => finding.statistic === statistic));
      // Far beyond what chance does to an area of so few windows.
      assert(failed.some(({ auc }) => auc !== undefined && auc > 0.62));
    });
  }
});

function print(text: string): void {
  // deno-lint-ignore no-console
  console.log(`\n${text}`);
}
