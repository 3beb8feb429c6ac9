import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import { contactGraphRouter } from "../../src/dtn/routing/contact_graph_router.ts";
import type { PlannedContact } from "../../src/dtn/routing/contact_plan.ts";
import { epidemicRouter } from "../../src/dtn/routing/epidemic_router.ts";
import { prophetRouter } from "../../src/dtn/routing/prophet_router.ts";
import type { Router } from "../../src/dtn/routing/router.ts";
import { sprayRouter } from "../../src/dtn/routing/spray_router.ts";
import { BundleStore } from "../../src/dtn/store/bundle_store.ts";
import { DtnWorld, eid, text } from "../dtn/node/_dtn_world.ts";
import { report } from "./_line_process.ts";

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const STEP_MS = 600_000;
/** Bundles that are sent each day, half of which live two and a half days only. */
const EACH_DAY = 10;
const SHORT_MS = 2.5 * DAY_MS;
const LONG_MS = 30 * DAY_MS;
/** What each node may have waiting, for its tick, its contacts and its pauses. */
const TIMERS_PER_NODE = 8;

interface RouterParts {
  readonly nodeId: string;
  readonly bundles: BundleStore;
  readonly plan: readonly PlannedContact[];
}

const ROUTERS: Readonly<Record<string, (parts: RouterParts) => Router>> = {
  epidemic: ({ bundles }) =>
    epidemicRouter({
      crypto: nodeProvider,
      known: () => [...bundles.entries()].map(({ id }) => id),
    }),
  binary_spray: () => sprayRouter({ store: memoryStore(), isBinary: true }),
  prophet: ({ nodeId }) => prophetRouter({ store: memoryStore(), nodeId }),
  contact_graph: ({ nodeId, plan }) =>
    contactGraphRouter({ nodeId, plan, store: memoryStore() }),
};

for (const [name, makeRouter] of Object.entries(ROUTERS)) {
  Deno.test(`with the router ${name} bundles outlive a partition of a week, as long as they live`, async () => {
    await using world = new DtnWorld();
    const { clock, network } = world;
    const startMs = clock.wallTime();
    const healMs = startMs + WEEK_MS;
    const both = (from: string, to: string, startMs: number) => {
      const rest = { startMs, endMs: startMs + LONG_MS, delayMs: 0 };
      return [[from, to], [to, from]].map(([from, to]): PlannedContact => ({
        from: `dtn://${from}/`,
        to: `dtn://${to}/`,
        bytesPerSecond: 1_000,
        ...rest,
      }));
    };
    const plan = [...both("a", "b", startMs), ...both("b", "c", healMs)];
    const start = (name: string) => {
      const bundles = new BundleStore({
        store: memoryStore(),
        crypto: nodeProvider,
        clock,
      });
      const nodeId = `dtn://${name}/`;
      const router = makeRouter({ nodeId, bundles, plan });
      return world.node(name, { store: bundles, router });
    };
    const [a, b, c] = [await start("a"), await start("b"), await start("c")];
    network.partition("b", "c");
    a.connect(a.layer, "memory://b");
    b.connect(b.layer, "memory://c");
    c.connect(c.layer, "memory://b");
    const received = world.texts(c.register(eid("dtn://c/in")));
    let timers = 0;
    const sent: { readonly name: string; readonly endMs: number }[] = [];
    const alive = () =>
      sent.filter(({ endMs }) => endMs > clock.wallTime()).length;
    for (let day = 0; day < 7; day++) {
      for (let i = 0; i < EACH_DAY; i++) {
        const lifetimeMs = i % 2 === 0 ? SHORT_MS : LONG_MS;
        const name = `day ${day}, ${i}`;
        sent.push({ name, endMs: clock.wallTime() + lifetimeMs });
        await world.settle(a.send({
          destination: eid("dtn://c/in"),
          payload: text(name),
          lifetimeMs,
        }));
      }
      const dayEndMs = startMs + (day + 1) * DAY_MS;
      while (clock.wallTime() < dayEndMs) {
        clock.advance(Math.min(STEP_MS, dayEndMs - clock.wallTime()));
        await clock.run(0);
        timers = Math.max(timers, clock.pendingTimers);
      }
      const held = [a, b].flatMap(({ bundles }) => [...bundles.entries()]);
      assertEquals(new Set(held.map(({ id }) => id)).size, alive());
    }
    assertEquals(received, []);
    assertEquals(c.counts.contacts, 0);
    network.heal("b", "c");
    await clock.run(60_000);
    const wanted = sent.filter(({ endMs }) => endMs > healMs + 60_000);
    assertEquals(received.sort(), wanted.map(({ name }) => name));
    const expired = a.counts.dropped.expired + b.counts.dropped.expired;
    assertGreater(expired, sent.length - wanted.length - 1);
    report(
      `${name}: a week, ${sent.length} bundles, ${received.length} delivered, ${
        sent.length - wanted.length
      } expired; ${timers} timers of three nodes at most`,
    );
    assertLess(timers, 3 * TIMERS_PER_NODE);
  });
}

Deno.test("a bundle leaves when its contact of the plan begins, though the neighbour has long been there", async () => {
  await using world = new DtnWorld();
  const { clock } = world;
  const nowMs = clock.wallTime();
  const contact = (from: string, to: string, startMs: number) => ({
    ...{ from: `dtn://${from}/`, to: `dtn://${to}/`, startMs },
    ...{ endMs: nowMs + WEEK_MS, bytesPerSecond: 1_000, delayMs: 0 },
  });
  const plan = [
    contact("a", "b", nowMs + 600_000),
    contact("b", "c", nowMs),
  ];
  const start = (name: string) =>
    world.node(name, {
      router: contactGraphRouter({
        store: memoryStore(),
        nodeId: `dtn://${name}/`,
        plan,
      }),
    });
  const [a, b, c] = [await start("a"), await start("b"), await start("c")];
  a.connect(a.layer, "memory://b");
  b.connect(b.layer, "memory://c");
  const received = world.texts(c.register(eid("dtn://c/in")));
  await clock.run(1_000);
  await world.settle(
    a.send({ destination: eid("dtn://c/in"), payload: text("later") }),
  );
  await clock.run(nowMs + 600_000 - clock.wallTime() - 1);
  assertEquals(received, []);
  await clock.run(2_000);
  assertEquals(received, ["later"]);
  assertEquals(a.counts.contacts, 1);
});
