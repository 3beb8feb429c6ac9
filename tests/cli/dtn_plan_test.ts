import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../../cli/_main.ts";
import { program } from "../../cli/dtn.ts";
import { routerOf } from "../../cli/dtn/router_of.ts";
import { readDtnConfig } from "../../cli/dtn/settings.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import { BundleStore } from "../../src/dtn/mod.ts";
import { FakeTerminal } from "./_fake_terminal.ts";
import { makeFolder } from "./_htx_process.ts";

const PLAN = `# two ways from a to d
contact +0 +100 dtn://a/ dtn://b/ 1000
contact +200 +300 dtn://b/ dtn://d/ 1000 5
contact +50 +60 dtn://a/ dtn://c/ 500 1

contact +60 +250 dtn://c/ dtn://d/ 200
`;
const EPOCH = ["--epoch", "2026-01-01T00:00:00Z"];

async function ran(...args: readonly string[]) {
  const terminal = new FakeTerminal(args);
  const code = await run(program, terminal);
  return { code, stdout: terminal.out, stderr: terminal.err };
}

async function withPlan(
  text: string,
  use: (path: string) => Promise<void>,
): Promise<void> {
  await using folder = await makeFolder();
  const path = `${folder.path}/plan.txt`;
  await Deno.writeTextFile(path, text);
  await use(path);
}

Deno.test("betanet-dtn contact-plan prints a plan with its volumes, as a table or as JSON", async () => {
  await withPlan(PLAN, async (path) => {
    const printed = await ran("contact-plan", path, ...EPOCH);
    assertEquals([printed.code, printed.stderr], [0, ""]);
    const [head, first, second] = printed.stdout.split("\n");
    assertEquals(head!.split(/ {2,}/), [
      ...["from", "to", "start", "end", "bytes/s", "delay s", "volume"],
    ]);
    assertEquals(first!.split(/ +/), [
      ...["dtn://a/", "dtn://b/", "2026-01-01T00:00:00.000Z"],
      ...["2026-01-01T00:01:40.000Z", "1000", "0", "100000"],
    ]);
    assertEquals(second!.split(/ +/).slice(-2), ["5", "100000"]);
    assertStringIncludes(printed.stdout, "4 contacts of 4 nodes");
    const json = JSON.parse(
      (await ran("contact-plan", path, ...EPOCH, "--json")).stdout,
    );
    assertEquals(json.length, 4);
    assertEquals(json[2], {
      from: "dtn://a/",
      to: "dtn://c/",
      start: "2026-01-01T00:00:50.000Z",
      end: "2026-01-01T00:01:00.000Z",
      bytesPerSecond: 500,
      delayMs: 1_000,
      volumeBytes: 5_000,
    });
  });
});

Deno.test("betanet-dtn contact-plan --route gives the route of earliest arrival, which depends on the size and on when", async () => {
  await withPlan(PLAN, async (path) => {
    const route = async (...flags: string[]) =>
      JSON.parse(
        (await ran(
          ...["contact-plan", path, ...EPOCH, "--route", "--json"],
          ...["--from", "dtn://a/", "--to", "dtn://d/", ...flags],
        )).stdout,
      );
    // 1 kB: 2 s to c with a second on the way, 5 s to d from 60 on.
    const small = await route("--size", "1kB");
    assertEquals([small.tookS, small.arrival], [
      65,
      "2026-01-01T00:01:05.000Z",
    ]);
    assertEquals(
      small.hops.map((hop: Record<string, unknown>) => [
        ...[hop.from, hop.to, hop.leaves, hop.sent, hop.arrives],
        hop.volumeBytes,
      ]),
      [
        [
          ...["dtn://a/", "dtn://c/", "2026-01-01T00:00:50.000Z"],
          ...["2026-01-01T00:00:52.000Z", "2026-01-01T00:00:53.000Z", 5_000],
        ],
        [
          ...["dtn://c/", "dtn://d/", "2026-01-01T00:01:00.000Z"],
          ...["2026-01-01T00:01:05.000Z", "2026-01-01T00:01:05.000Z", 38_000],
        ],
      ],
    );
    // 20 kB do not fit into the contact with c; after +55 neither does 3 kB.
    const large = await route("--size", "20kB");
    assertEquals([large.tookS, large.hops[0].to], [225, "dtn://b/"]);
    const late = await route("--size", "3kB", "--at", "+55");
    assertEquals([late.tookS, late.hops[0].to], [153, "dtn://b/"]);
  });
});

Deno.test("betanet-dtn contact-plan names the line that is wrong, and says when there is no route", async () => {
  await withPlan(`${PLAN}contact +9 +3 dtn://a/ dtn://b/ 1\n`, async (path) => {
    const refused = await ran("contact-plan", path);
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, `${path}: Line 7: want contact`);
  });
  await withPlan(PLAN, async (path) => {
    const route = ["contact-plan", path, ...EPOCH, "--route"];
    for (
      const [flags, code, says] of [
        [["--from", "dtn://d/", "--to", "dtn://a/"], 1, "No route"],
        [["--from", "dtn://a/", "--to", "dtn://x/"], 1, "not know dtn://x/"],
        [["--from", "dtn://a/"], 2, "--to"],
        [["--from", "dtn://a/", "--to", "dtn://b/", "--at", "now"], 2, "--at"],
        [
          ["--from", "dtn://a/", "--to", "dtn://b/", "--size", "1"],
          2,
          "--size",
        ],
      ] as const
    ) {
      const refused = await ran(...route, ...flags);
      assertEquals(refused.code, code, refused.stderr);
      assertStringIncludes(refused.stderr, says);
    }
    assertEquals((await ran("contact-plan", path, "--to", "dtn://a/")).code, 2);
    assertEquals((await ran("contact-plan", `${path}.not`)).code, 1);
  });
  await withPlan(
    `${PLAN}contact +90 +95 dtn://a/ dtn://b/ 1\n`,
    async (path) => {
      const noted = await ran("contact-plan", path, ...EPOCH);
      assertEquals(noted.code, 0);
      assertStringIncludes(
        noted.stderr,
        "from dtn://a/ to dtn://b/ overlap at 2026-01-01T00:01:30.000Z",
      );
    },
  );
});

Deno.test("betanet-dtn simulate compares schedulers, the same each time for a seed", async () => {
  const simulate = async (...flags: string[]) => {
    const { code, stdout, stderr } = await ran("simulate", "star", ...flags);
    assertEquals(code, 0, stderr);
    return stdout;
  };
  const printed = await simulate();
  // The figures of docs/dtn.md.
  const rows = printed.trimEnd().split("\n").slice(1)
    .map((line) => line.trim().split(/ +/));
  assertEquals(rows.map((row) => row.slice(0, 2)), [
    ["star", "fifo"],
    ["star", "edf"],
    ["star", "lyapunov"],
  ]);
  assertEquals(rows[0]!.slice(2, 10), [
    ...["720", "720", "0", "0", "0", "6.6", "18.9", "5359"],
  ]);
  assertEquals(rows[2]!.slice(2, 7), ["10", "720", "415", "305", "0"]);
  const flags = ["--scheduler", "lyapunov", "--rate", "2", "--json"];
  const [one] = JSON.parse(await simulate(...flags, "--v", "2", "--seed", "9"));
  const [same] = JSON.parse(
    await simulate(...flags, "--v", "2", "--seed", "9"),
  );
  const [other] = JSON.parse(
    await simulate(...flags, "--v", "0", "--seed", "9"),
  );
  assertEquals(one, same);
  assertEquals([one.v, one.seed, one.bundles], [2, 9, 360]);
  assert(one.energy < other.energy, `${one.energy} ${other.energy}`);
  assert(one.meanDelayS > other.meanDelayS);
});

Deno.test("betanet-dtn simulate plays traffic over a contact plan", async () => {
  await withPlan(
    "contact +100 +200 dtn://a/ dtn://b/ 1000 2\ncontact +100 +200 dtn://b/ dtn://a/ 1000 2\n",
    async (path) => {
      const args = [
        "simulate",
        "--plan",
        path,
        "--scheduler",
        "fifo",
        "--json",
      ];
      const [all] = JSON.parse((await ran(...args, "--rate", "0.5")).stdout);
      assertEquals([all.bundles, all.delivered, all.energy], [30, 30, 0]);
      // Each takes a second, and two more on its way.
      assert(all.meanDelayS >= 3, `${all.meanDelayS}`);
      // More than 200 kB cannot be sent in 100 s.
      const more = ["--rate", "10", "--lifetime", "10s"];
      const [some] = JSON.parse((await ran(...args, ...more)).stdout);
      assertEquals(some.bundles, 600);
      assert(some.delivered > 0 && some.delivered <= 200, `${some.delivered}`);
      assert(some.expired >= 400);
      assertEquals(some.delivered + some.expired + some.underWay, 600);
    },
  );
});

Deno.test("betanet-dtn simulate refuses what it cannot play", async () => {
  for (
    const [args, says] of [
      [["ring"], "Want linear, star, mesh: got ring"],
      [["--scheduler", "best"], "--scheduler"],
      [["--rate", "many"], "--rate"],
      [["--rate", "1000"], "at most 100000 bundles"],
      [["--seed", "0"], "--seed"],
      [["--v", "-1"], "--v"],
      [["--size", "1kB"], "--plan"],
      [["star", "--plan", "x"], "not both"],
    ] as const
  ) {
    const refused = await ran("simulate", ...args);
    assertEquals(refused.code, 2, refused.stderr);
    assertStringIncludes(refused.stderr, says);
  }
  await withPlan("# nothing\n", async (path) => {
    const refused = await ran("simulate", "--plan", path);
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, "two nodes");
  });
});

Deno.test("a plan that counts from the start of its node does not move when the node starts again", async () => {
  await withPlan("contact +1000 +2000 dtn://a/ dtn://b/ 1000", async (path) => {
    const config = readDtnConfig(undefined, {
      "node.id": "dtn://a/",
      "routing.by": "contact_graph",
      "routing.plan": path,
    });
    const crypto = nodeProvider;
    const store = memoryStore();
    const bundles = new BundleStore({ store: memoryStore(), crypto });
    const beginsAt = () =>
      routerOf(config, { crypto, store, bundles }).changesAt!(0)!;
    const first = beginsAt();
    const startedMs = Date.now();
    while (Date.now() < startedMs + 2);
    assertEquals(beginsAt(), first);
    await Deno.writeTextFile(path, "contact +1000 +2001 dtn://a/ dtn://b/ 1");
    assert(beginsAt() > first, "another plan begins anew");
  });
});
