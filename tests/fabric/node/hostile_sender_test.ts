import { assertEquals, assertRejects } from "@std/assert";
import {
  FabricError,
  type Message,
  type Route,
} from "../../../src/fabric/mod.ts";
import { FabricWorld, type TestNode } from "../_fabric_world.ts";
import { eve, messageOf } from "../_messages.ts";

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

Deno.test("who has its messages with handlers that never return keeps no handler from others", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const eve = await world.start("eve", "moor");
  const bob = await world.start("bob", "dale", { maxRunning: 8 });
  world.introduce(ana, bob, eve);
  let running = 0;
  bob.fabric.handle("never", () => (running++, new Promise(() => {})));
  bob.fabric.handle("ask", (value) => value);
  const to = bob.fabric.agent.id;
  for (let i = 0; i < 20; i++) {
    await world.settle(eve.fabric.notify(to, "never", i));
    const request = eve.fabric.request(to, "never", i, { lifetimeMs: 80_000 });
    request.catch(() => {});
  }
  await world.dtn.until(() => running === 6);
  const options = { lifetimeMs: 20_000 };
  assertEquals(
    await world.settle(ana.fabric.request(to, "ask", 1, options)),
    1,
  );
  const sent = await world.settle(ana.fabric.notify(to, "ask", 1, options));
  assertEquals(await world.settle(sent.settled), undefined);
  assertEquals(running, 6);
});

Deno.test("who fills the queue of live requests leaves others room in it", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale", { maxRunning: 1 });
  world.introduce(ana, bob);
  const holding = Promise.withResolvers<void>();
  bob.fabric.handle("hold", () => holding.promise);
  bob.fabric.handle("ask", (value) => value);
  const to = bob.fabric.agent.id;
  const held = ana.fabric.request(to, "hold");
  await world.clock.run(100);
  const statuses: (readonly [string, string | undefined])[] = [];
  const route: Route = {
    isLive: true,
    status: (code, reason) => void statuses.push([code, reason]),
    answer: () => true,
  };
  const deadlineMs = world.clock.wallTime() + 20_000;
  for (let i = 0; statuses.length === 0; i++) {
    const id = crypto.getRandomValues(new Uint8Array(16));
    bob.fabric.receive(
      messageOf(1, {
        id,
        from: eve.id,
        kind: "request",
        type: "ask",
        deadlineMs,
      }),
      route,
    );
    if (i > 4_096) throw new Error("No bound");
  }
  assertEquals(statuses, [["full", "sender"]]);
  const asked = ana.fabric.request(to, "ask", 2, { lifetimeMs: 20_000 });
  await world.clock.run(100);
  holding.resolve();
  await world.settle(held);
  assertEquals(await world.settle(asked), 2);
  assertEquals(bob.fabric.counts.full, 1);
});

Deno.test("strangers who have every link of a node give way to those with whom it deals", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale", { maxLinks: 2 });
  const strangers = [
    await world.start("eve", "moor"),
    await world.start("kim", "fen"),
    await world.start("lee", "bog"),
  ];
  world.introduce(ana, bob, ...strangers);
  const to = bob.fabric.agent.id;
  bob.fabric.handle("ask", (value) => value);
  const ask = ({ fabric }: TestNode) =>
    fabric.request(to, "ask", 1, { way: "rpc", lifetimeMs: 2_000 });
  for (const each of strangers.slice(0, 2)) await world.settle(ask(each));
  const refused = ask(strangers[2]!);
  await world.settle(assertRejects(() => refused, FabricError));
  assertEquals(bob.node.links.counts.evicted, 0);
  assertEquals(bob.node.links.counts.refused > 0, true);
  bob.book.contact(ana.fabric.agent.id);
  assertEquals(await world.settle(ask(ana)), 1);
  assertEquals([bob.node.links.size, bob.node.links.counts.evicted], [2, 1]);
  assertEquals(await world.settle(ask(ana)), 1);
});
