import { assert, assertEquals, assertThrows } from "@std/assert";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import {
  contactGraph,
  earliestArrival,
} from "../../../src/dtn/routing/contact_graph.ts";
import { contactGraphRouter } from "../../../src/dtn/routing/contact_graph_router.ts";
import {
  formatContactPlan,
  parseContactPlan,
  type PlannedContact,
} from "../../../src/dtn/routing/contact_plan.ts";
import { type Router, WAIT } from "../../../src/dtn/routing/router.ts";
import vectors from "../../vectors/dtn/contact_graph.json" with {
  type: "json",
};
import { bundle } from "./_bundle.ts";

const PLAN = `
# relay b sees z late, relay c early but briefly
contact +0 +100 dtn://a/ dtn://b/ 100 0.5
contact +0 +100 dtn://a/ dtn://c/ 100
contact +50 +60 dtn://b/ dtn://z/ 1000
contact +20 +22 dtn://c/ dtn://z/ 100
`;

function plan(): PlannedContact[] {
  return parseContactPlan(PLAN, 0);
}

for (
  const [i, { contacts, source, target, ...expected }] of vectors.plans
    .entries()
) {
  Deno.test(`earliestArrival() agrees with exhaustive search on plan ${i}`, () => {
    const planned = contacts.map(({ frm, to, start, end, rate, owlt }) => ({
      ...{ from: `${frm}`, to: `${to}`, bytesPerSecond: rate },
      ...{ startMs: start, endMs: end, delayMs: owlt },
    }));
    const route = earliestArrival(contactGraph(planned), {
      ...{ from: `${source}`, to: `${target}`, size: 0, nowMs: 0 },
    });
    assertEquals(route?.arrivalMs ?? null, expected.earliest_arrival);
    let at = `${source}`;
    let nowMs = 0;
    for (const { from, to, startMs, endMs, delayMs } of route?.contacts ?? []) {
      assertEquals(from, at);
      nowMs = Math.max(nowMs, startMs);
      assert(nowMs < endMs);
      [at, nowMs] = [to, nowMs + delayMs];
    }
    if (route) assertEquals([at, nowMs], [`${target}`, route.arrivalMs]);
  });
}

Deno.test("earliestArrival() counts the time that bytes take, and passes over contacts that are too short or full", () => {
  const graph = contactGraph(plan());
  const query = { from: "dtn://a/", to: "dtn://z/", nowMs: 0 };
  const vias = (size: number, more = {}) => {
    const route = earliestArrival(graph, { ...query, size, ...more });
    return route && [route.contacts[0]!.to, route.arrivalMs];
  };
  assertEquals(vias(100), ["dtn://c/", 21_000]);
  assertEquals(vias(200), ["dtn://c/", 22_000]);
  assertEquals(vias(201), ["dtn://b/", 50_201]);
  assertEquals(vias(10_001), undefined);
  const freeAt = ({ to, from }: PlannedContact) =>
    from === "dtn://c/" && to === "dtn://z/" ? 21_001 : 0;
  assertEquals(vias(99, { freeAt }), ["dtn://c/", 21_991]);
  assertEquals(vias(100, { freeAt }), ["dtn://b/", 50_100]);
  assertEquals(vias(100, { without: new Set(["dtn://c/"]) }), [
    "dtn://b/",
    50_100,
  ]);
  assertEquals(vias(100, { nowMs: 21_500 }), ["dtn://b/", 50_100]);
});

Deno.test("a bundle waits for the contact of its route, and bundles that find no room take the next", () => {
  const router = contactGraphRouter({
    store: memoryStore(),
    nodeId: "dtn://a/",
    plan: plan(),
  });
  const peers = ["dtn://b/", "dtn://c/"];
  const to = (n: number, now = 0, open = peers) =>
    router.route(bundle(n), open, now).to.map(({ peer }) => peer);
  assertEquals(to(1), ["dtn://c/"]);
  assertEquals(to(2), ["dtn://c/"]);
  assertEquals(to(3), ["dtn://b/"]);
  assertEquals(to(1, 10), ["dtn://c/"]);
  assertEquals(to(1, 10, ["dtn://b/"]), []);
  router.removed(bundle(1).id);
  assertEquals(to(4), ["dtn://c/"]);
  router.sent(bundle(4), { peer: "dtn://c/" }, 20);
  assertEquals(to(5, 30), ["dtn://b/"]);
});

Deno.test("what is used of the contacts of others is known after a restart", () => {
  const store = memoryStore();
  const options = { nodeId: "dtn://a/", plan: plan(), store };
  const to = (router: Router, n: number) =>
    router.route(bundle(n), ["dtn://b/", "dtn://c/"], 30).to[0]?.peer;
  const before = contactGraphRouter(options);
  for (const n of [1, 2]) {
    assertEquals(to(before, n), "dtn://c/");
    before.sent(bundle(n), { peer: "dtn://c/" }, 30);
  }
  assertEquals(to(contactGraphRouter(options), 3), "dtn://b/");
  assertEquals(
    to(contactGraphRouter({ ...options, store: memoryStore() }), 3),
    "dtn://c/",
  );
});

Deno.test("a contact that is nearly over takes no more than there is time for, behind what waits for it", () => {
  const half = parseContactPlan(
    `contact +0 +100 dtn://a/ dtn://c/ 100
    contact +0 +1000 dtn://c/ dtn://z/ 1000000
    contact +200 +300 dtn://a/ dtn://b/ 100
    contact +0 +1000 dtn://b/ dtn://z/ 1000000`,
    0,
  );
  const router = contactGraphRouter({
    store: memoryStore(),
    nodeId: "dtn://a/",
    plan: half,
  });
  const firstHops = (n: number, nowMs: number) =>
    router.route(bundle(n), ["dtn://c/"], nowMs).to.map(({ peer }) => peer);
  for (let n = 0; n < 10; n++) {
    assertEquals(firstHops(n, 90_000), ["dtn://c/"], `${n}`);
  }
  assertEquals(firstHops(10, 90_000), [], "waits for b");
  for (const n of [0, 1]) {
    router.sent(bundle(n), { peer: "dtn://c/" }, 91_000);
    router.removed(bundle(n).id);
  }
  assertEquals(firstHops(11, 91_000), ["dtn://c/"]);
  assertEquals(firstHops(12, 91_000), [], "no time for another");
  assertEquals(
    router.route(bundle(10), ["dtn://b/"], 250_000).to,
    [{ peer: "dtn://b/" }],
  );
});

Deno.test("beyond the bound of bookings a bundle still finds its route", () => {
  const plan = parseContactPlan(
    `contact +1000 +2000 dtn://a/ dtn://y/ 1000000
    contact +0 +100 dtn://a/ dtn://b/ 1000
    contact +0 +100 dtn://b/ dtn://z/ 1000`,
    0,
  );
  const router = contactGraphRouter({
    store: memoryStore(),
    nodeId: "dtn://a/",
    plan,
  });
  const late = { destinationNode: "dtn://y/", expiresMs: 3_000_000 };
  for (let n = 0; n < 65_536; n++) {
    assertEquals(router.route(bundle(n, late), ["dtn://b/"], 0), WAIT);
  }
  assertEquals(router.route(bundle(70_000), ["dtn://b/"], 0).to, [
    { peer: "dtn://b/" },
  ]);
});

Deno.test("a neighbour that is the destination gets its bundle, and frees what was booked for it", () => {
  const router = contactGraphRouter({
    store: memoryStore(),
    nodeId: "dtn://a/",
    plan: plan(),
  });
  for (const n of [1, 2]) router.route(bundle(n), ["dtn://c/"], 0);
  const decision = router.route(bundle(1), ["dtn://z/", "dtn://c/"], 1);
  assertEquals(decision, { to: [{ peer: "dtn://z/" }], keeps: false });
  router.sent(bundle(1), { peer: "dtn://z/" }, 1);
  assertEquals(router.route(bundle(3), ["dtn://c/"], 1).to, [
    { peer: "dtn://c/" },
  ]);
});

Deno.test("no route is waited for that arrives after the bundle has expired, nor one back to where it came from", () => {
  const router = contactGraphRouter({
    store: memoryStore(),
    nodeId: "dtn://a/",
    plan: plan(),
  });
  const peers = ["dtn://b/", "dtn://c/"];
  const late = bundle(1, { expiresMs: 20_999 });
  assertEquals(router.route(late, peers, 0), WAIT);
  const back = bundle(2, { from: "dtn://c/" });
  assertEquals(router.route(back, peers, 0).to, [{ peer: "dtn://b/" }]);
});

Deno.test("another plan takes effect at once", () => {
  const router = contactGraphRouter({
    store: memoryStore(),
    nodeId: "dtn://a/",
    plan: [],
  });
  assertEquals(router.route(bundle(1), ["dtn://b/"], 0), WAIT);
  router.replan(plan());
  assertEquals(router.route(bundle(1), ["dtn://c/"], 0).to, [
    { peer: "dtn://c/" },
  ]);
  router.replan([]);
  assertEquals(router.route(bundle(1), ["dtn://c/"], 1), WAIT);
});

Deno.test("parseContactPlan() reads what formatContactPlan() writes, and names the line that is wrong", () => {
  assertEquals(parseContactPlan(formatContactPlan(plan()), 9), plan());
  assertEquals(plan()[0], {
    ...{ from: "dtn://a/", to: "dtn://b/", startMs: 0, endMs: 100_000 },
    ...{ bytesPerSecond: 100, delayMs: 500 },
  });
  for (
    const line of [
      "contact +1 +2 a b",
      "contact +2 +2 a b 1",
      "contact +1 +2 a b 0",
      "contact +1 +2 a b x",
      "contact +1 +2 a b 1 -1",
      "contact then +2 a b 1",
      "range +1 +2 a b 1",
    ]
  ) {
    assertThrows(
      () => parseContactPlan(`\n${line}`, 0),
      SyntaxError,
      "Line 2",
    );
  }
});
