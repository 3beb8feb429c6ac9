import { assertEquals } from "@std/assert";
import { chooseWay, type WayFacts } from "../../../src/fabric/mod.ts";

const facts: WayFacts = {
  wanted: "auto",
  isLive: false,
  isDialable: true,
  hasBundles: true,
  size: 100,
  leftMs: 60_000,
  priority: "normal",
  budgetMs: 2_000,
};

const CASES: readonly [
  given: string,
  facts: Partial<WayFacts>,
  way: string | undefined,
  budgetMs: number,
][] = [
  ["an open session", { isLive: true }, "rpc", 2_000],
  [
    "an open session, also for what is large",
    {
      ...{ isLive: true, size: 1e7, sinceFailedMs: 1 },
    },
    "rpc",
    2_000,
  ],
  ["an address", {}, "rpc", 2_000],
  ["neither", { isDialable: false }, "bundle", 0],
  [
    "neither, nor bundles",
    {
      ...{ isDialable: false, hasBundles: false },
    },
    undefined,
    0,
  ],
  [
    "RPC forced without an address",
    {
      ...{ wanted: "rpc", isDialable: false },
    },
    undefined,
    0,
  ],
  ["RPC forced", { wanted: "rpc", sinceFailedMs: 1 }, "rpc", 0],
  ["a bundle forced", { wanted: "bundle", isLive: true }, "bundle", 0],
  [
    "a bundle forced where there are none",
    {
      ...{ wanted: "bundle", hasBundles: false },
    },
    undefined,
    0,
  ],
  ["a failure a moment ago", { sinceFailedMs: 14_999 }, "bundle", 0],
  ["a failure a while ago", { sinceFailedMs: 15_000 }, "rpc", 2_000],
  [
    "a failure a moment ago, but urgent",
    {
      ...{ sinceFailedMs: 1, priority: "critical" },
    },
    "rpc",
    2_000,
  ],
  ["much for one not heard of", { size: 2 ** 21 }, "bundle", 0],
  [
    "much for one heard of lately",
    {
      ...{ size: 2 ** 21, sinceHeardMs: 599_999 },
    },
    "rpc",
    2_000,
  ],
  ["no bundles to fall back to", { hasBundles: false }, "rpc", 0],
  ["no time for a bundle", { leftMs: 2_000 }, "rpc", 2_000],
];

for (const [given, change, way, budgetMs] of CASES) {
  Deno.test(`chooseWay() given ${given}`, () => {
    const choice = chooseWay({ ...facts, ...change });
    assertEquals([choice.way, choice.budgetMs], [way, budgetMs]);
    assertEquals(choice.why.length > 0, true);
  });
}
