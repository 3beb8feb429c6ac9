import { assertEquals, assertLess } from "@std/assert";
import { FabricWorld } from "../_fabric_world.ts";

Deno.test("receipts that were lost with a link come again soon after the agent is back, though nobody has anything to send", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  let count = 0;
  bob.fabric.handle("say", () => void count++);
  const { takeReceipts } = ana.fabric;
  ana.fabric.takeReceipts = () => Promise.resolve();
  const { settled } = await ana.fabric.notify(bob.fabric.agent.id, "say");
  await world.dtn.until(() => bob.fabric.counts.handled === 1);
  await world.clock.run(1_000);
  await world.settle(world.cut());
  ana.fabric.takeReceipts = takeReceipts.bind(ana.fabric);
  await world.clock.run(2_000);
  world.unreachable.clear();
  const backMs = world.clock.now();
  assertEquals(await world.settle(settled), undefined);
  assertLess(world.clock.now() - backMs, 5_000);
  assertEquals([count, bob.fabric.counts.copies], [1, 1]);
});
