import { assertEquals } from "@std/assert";
import type { Message } from "../../../src/fabric/mod.ts";
import { FabricWorld, type TestNode } from "../_fabric_world.ts";
import { messageOf } from "../_messages.ts";

/** A message from one to another of a kind that applications do not send, good for 10 s. */
function raw(
  from: TestNode,
  to: TestNode,
  n: number,
  fields: Partial<Message>,
): Message {
  return messageOf(n, {
    from: from.fabric.agent.id,
    to: to.fabric.agent.id,
    ...fields,
  });
}

Deno.test("who has filled its part of an inbox with bundles keeps no bundle of another back", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const eve = await world.start("eve", "moor");
  const bob = await world.start("bob", "dale", {
    inbox: { maxKeptOfSender: 2 },
  });
  world.introduce(ana, bob, eve);
  world.meet(ana, bob);
  world.meet(eve, bob);
  const heard: unknown[] = [];
  bob.fabric.handle("never", () => new Promise(() => {}));
  bob.fabric.handle("tell", (value) => void heard.push(value));
  const to = bob.fabric.agent.id;
  const options = { way: "bundle" } as const;
  for (let i = 0; i < 5; i++) {
    await world.settle(eve.fabric.notify(to, "never", i, options));
  }
  await world.dtn.until(() => bob.fabric.counts.full > 0);
  const sent = await world.settle(ana.fabric.notify(to, "tell", 1, options));
  assertEquals(await world.settle(sent.settled), undefined);
  assertEquals(heard, [1]);
  assertEquals(bob.node.bundleCounts.full, 3);
});

Deno.test("a peer that says its record again in messages is sent nothing again", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  bob.fabric.handle("tell", () => new Promise(() => {}));
  await world.settle(ana.fabric.notify(bob.fabric.agent.id, "tell"));
  await world.dtn.until(() => bob.node.links.size === 1);
  await world.clock.run(500);
  const { attempts } = ana.fabric.outbox.counts;
  for (let i = 1; i <= 10; i++) {
    const record = raw(bob, ana, i, { kind: "record", payload: bob.record() });
    await world.settle(bob.fabric.send(record));
    await world.clock.run(100);
  }
  assertEquals(ana.fabric.outbox.counts.attempts, attempts);
});

Deno.test("a link that shows a record which does not verify ends, and is counted", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  bob.fabric.handle("ask", () => 1);
  await world.settle(ana.fabric.request(bob.fabric.agent.id, "ask"));
  const record = bob.record().slice();
  record[record.length - 1]! ^= 1;
  bob.node.links.with(ana.fabric.agent.id)!.sendRecord(record);
  await world.dtn.until(() => ana.node.links.size === 0);
  assertEquals(ana.node.links.counts.violations, 1);
});

Deno.test("records that came in messages and are not taken are counted", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  world.meet(ana, bob);
  const record = bob.record().slice();
  record[record.length - 1]! ^= 1;
  const message = raw(bob, ana, 1, { kind: "record", payload: record });
  await world.settle(bob.fabric.send(message, { way: "bundle" }));
  await world.dtn.until(() => ana.node.counts.badRecords === 1);
});
