import { assertEquals } from "@std/assert";
import { nodeSections } from "../../cli/dtn/node_sections.ts";
import { DtnWorld, eid, text } from "../dtn/node/_dtn_world.ts";

Deno.test("a node's page shows neighbours, what is stored, rates since the last look and drops", async () => {
  await using world = new DtnWorld();
  const [a, b] = [await world.node("a"), await world.node("b")];
  const sections = nodeSections({ node: a, bundles: a.bundles }, world.clock);
  const shown = () =>
    Object.fromEntries(
      sections().map(({ title, rows }) => [
        title,
        Object.fromEntries(rows.map(([name, ...cells]) => [name, cells])),
      ]),
    );
  const idle = shown();
  assertEquals(idle["Neighbours in contact"], { none: [] });
  assertEquals(idle["Drops"], { none: [0] });
  assertEquals(idle["Bundles"]!["created"], [0, 0]);

  a.connect(a.layer, "memory://b");
  await world.until(() => a.neighbours.length === 1);
  shown();
  const startMs = world.clock.now();
  const payload = text("hello");
  const destination = eid("dtn://b/in");
  for (let i = 0; i < 4; i++) {
    await world.settle(a.send({ destination, payload }));
  }
  await world.settle(a.send({ destination: eid("dtn://c/in"), payload }));
  const late = a.send({ destination, payload, lifetimeMs: 0 });
  await world.settle(late.catch(() => {}));
  await world.clock.run(2_000 - (world.clock.now() - startMs));
  const busy = shown();
  assertEquals(busy["Neighbours in contact"], { [`${b.nodeId}`]: [] });
  const node = busy["Node"]!;
  assertEquals(node["neighbours in contact"], [1]);
  assertEquals(node["bundles stored"], [a.bundles.usage.bundles]);
  assertEquals(busy["Bundles"]!["stored"], [5, 2.5]);
  assertEquals(busy["Drops"], { expired: [1] });
  await world.clock.run(1_000);
  assertEquals(shown()["Bundles"]!["stored"], [5, 0]);
});
