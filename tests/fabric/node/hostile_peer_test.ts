import { assert, assertEquals, assertRejects } from "@std/assert";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { FabricError } from "../../../src/fabric/mod.ts";
import { encodeFrame, MAX_BODY } from "../../../src/fabric/rpc/frame.ts";
import { agentOf } from "../_agents.ts";
import { FabricWorld } from "../_fabric_world.ts";

Deno.test("a peer that shows another's record takes nothing of the other's", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  const eve = await world.start("eve", "moor");
  world.introduce(ana, bob, eve);
  bob.fabric.handle("who", () => "bob");
  const ask = () => ana.fabric.request(bob.fabric.agent.id, "who");
  assertEquals(await world.settle(ask()), "bob");
  eve.fabric.handle("who", () => "eve");
  await world.settle(eve.fabric.request(ana.fabric.agent.id, "none"))
    .catch(() => {});
  const link = eve.node.links.with(ana.fabric.agent.id)!;
  link.sendRecord(bob.record());
  await world.clock.run(100);
  const found = ana.node.links.with(bob.fabric.agent.id);
  assert(found, "Bob is still live");
  assertEquals([...found.agents], [`${bob.fabric.agent.id}`]);
  assertEquals(await world.settle(ask()), "bob");
});

Deno.test("an agent that joins later speaks over the links that are there", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  bob.fabric.handle("size", (value) => (value as Uint8Array).length);
  const to = bob.fabric.agent.id;
  const size = (bytes: number) => [to, "size", new Uint8Array(bytes)] as const;
  await world.settle(ana.fabric.request(...size(1)));
  const link = ana.node.links.with(to);
  const kim = ana.node.join(agentOf("kim@hill"), { store: memoryStore() });
  // A large message has a stream of its own, and so may come before the record.
  assertEquals(await world.settle(kim.request(...size(100_000))), 100_000);
  assertEquals(await world.settle(kim.request(...size(1))), 1);
  assertEquals([ana.node.links.with(to) === link, link?.isOpen], [true, true]);
});

Deno.test("a handler that refuses at length, or throws what it likes, harms nobody", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  bob.fabric.handle("long", () => {
    throw new FabricError("refused", "no ".repeat(100));
  });
  bob.fabric.handle("huge", () => new Uint8Array(17 * 1024 * 1024));
  bob.fabric.handle("odd", () => Promise.reject(undefined));
  const to = bob.fabric.agent.id;
  const sent = await world.settle(ana.fabric.notify(to, "long"));
  const reason = await world.settle(sent.settled);
  assertEquals(reason, "no ".repeat(100).slice(0, 64));
  for (const type of ["huge", "odd"]) {
    const asked = ana.fabric.request(to, type);
    asked.catch(() => {});
    const error = await world.settle(assertRejects(() => asked, FabricError));
    assertEquals(error.message, "The request was refused: handler_failed");
  }
});

Deno.test("an agent whose handlers never return can leave, and who asked is told", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale", { maxRunning: 1 });
  world.introduce(ana, bob);
  let count = 0;
  bob.fabric.handle("never", () => (count++, new Promise(() => {})));
  const to = bob.fabric.agent.id;
  const asked = [1, 2, 3].map((each) => {
    const request = ana.fabric.request(to, "never", each);
    return assertRejects(() => request, FabricError);
  });
  await world.dtn.until(() => count === 1);
  const before = world.clock.now();
  await world.settle(bob.node.leave(bob.fabric.agent));
  assert(world.clock.now() - before < 1_000);
  for (const each of asked) {
    const error = await world.settle(each);
    assertEquals(error.code, "refused");
  }
  assertEquals(ana.node.links.with(to)?.pending ?? 0, 0);
});

Deno.test("what is kept gets its turn beside a flood of live requests", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale", { maxRunning: 1 });
  world.introduce(ana, bob);
  const order: string[] = [];
  const holding = Promise.withResolvers<void>();
  bob.fabric.handle("hold", () => holding.promise);
  bob.fabric.handle("ask", () => void order.push("ask"));
  bob.fabric.handle("tell", () => void order.push("tell"));
  const to = bob.fabric.agent.id;
  const held = ana.fabric.request(to, "hold");
  await world.clock.run(100);
  const told = await world.settle(ana.fabric.notify(to, "tell"));
  const asked = Array.from(
    { length: 100 },
    () => ana.fabric.request(to, "ask"),
  );
  await world.clock.run(100);
  holding.resolve();
  await world.settle(Promise.all([held, told.settled, ...asked]));
  assert(order.indexOf("tell") < 3, `in place ${order.indexOf("tell")}`);
});

Deno.test("large messages of one peer are bounded while they come", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  bob.fabric.handle("ask", () => 1);
  const to = bob.fabric.agent.id;
  await world.settle(ana.fabric.request(to, "ask"));
  const [session] = world.sessions;
  // The head of a message as long as can be, and its first byte; the rest never comes.
  const start = encodeFrame("message", new Uint8Array(1));
  new DataView(start.buffer).setUint32(1, MAX_BODY.message);
  for (let i = 0; i < 3; i++) {
    const stream = await world.settle(session!.open());
    await world.settle(stream.write(start)).catch(() => {});
  }
  await world.dtn.until(() => bob.node.links.size === 0);
});
