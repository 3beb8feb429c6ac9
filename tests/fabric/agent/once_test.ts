import { assertEquals } from "@std/assert";
import {
  memoryStore,
  StorageError,
  type Store,
} from "../../../src/core/storage/mod.ts";
import type { Route } from "../../../src/fabric/mod.ts";
import { decodePayload } from "../../../src/fabric/agent/payload.ts";
import { FabricWorld, keptOf, type TestNode } from "../_fabric_world.ts";
import { messageOf } from "../_messages.ts";

Deno.test("a request whose outcome could not be written for a while is not handled again, nor after a restart", async () => {
  await using world = new FabricWorld();
  const kept = keptOf();
  const bob = await world.start("bob", "dale", {}, kept);
  let count = 0;
  bob.fabric.handle("count", () => ++count);
  const request = messageOf(1, {
    ...{ kind: "request", type: "count", to: bob.fabric.agent.id },
    deadlineMs: world.clock.wallTime() + 100_000,
  });
  const answers: unknown[] = [];
  // Nobody confirms an answer.
  const route: Route = {
    isLive: true,
    status: () => {},
    answer: ({ payload }) => answers.push(decodePayload(payload)) > 0,
  };
  const { transaction } = kept.agent;
  kept.agent.transaction = () => {
    throw new StorageError("full", "no room");
  };
  bob.fabric.receive(request, route);
  await world.clock.run(5_000);
  bob.fabric.receive(request, route);
  await world.clock.run(100);
  kept.agent.transaction = transaction.bind(kept.agent);
  await world.clock.run(2_000);
  // It dies: nothing more is written.
  const copy = { ...kept, agent: copyOf(kept.agent) };
  await end(world, bob);
  const again = await world.start("bob", "dale", {}, copy);
  again.fabric.handle("count", () => ++count);
  again.fabric.receive(request, route);
  await world.clock.run(100);
  assertEquals([answers, count], [[1, 1, 1], 1]);
});

Deno.test("a message that its sender's death makes come again is answered by what became of it, and no handler runs", async () => {
  await using world = new FabricWorld();
  const kept = keptOf();
  const ana = await world.start("ana", "hill", {}, kept);
  const bob = await world.start("bob", "dale");
  world.introduce(ana, bob);
  let count = 0;
  bob.fabric.handle("say", () => void count++);
  const to = bob.fabric.agent.id;
  // It dies before it has deleted what is settled.
  const remove = kept.agent.delete;
  kept.agent.delete = () => false;
  const { id, settled } = await ana.fabric.notify(to, "say");
  assertEquals(await world.settle(settled), undefined);
  assertEquals(ana.fabric.outbox.size, 0);
  kept.agent.delete = remove.bind(kept.agent);
  const agent = copyOf(kept.agent);
  await end(world, ana);
  const again = await world.start("ana", "hill", {}, { ...kept, agent });
  assertEquals(again.fabric.outbox.size, 1);
  again.fabric.start();
  world.introduce(again, bob);
  await world.dtn.until(() => again.fabric.outbox.size === 0);
  assertEquals([count, bob.fabric.counts.copies], [1, 1]);
  assertEquals([...again.fabric.outbox.deadLetters()], []);
  assertEquals(again.fabric.receipts.of(id).at(-1)?.state, "handled");
});

function copyOf(store: Store): Store {
  const copy = memoryStore();
  for (const { key, value, expiresAt } of store.entries()) {
    copy.set(key, value, expiresAt === undefined ? {} : { expiresAt });
  }
  return copy;
}

async function end(world: FabricWorld, node: TestNode): Promise<void> {
  await world.settle(Promise.resolve(node[Symbol.asyncDispose]()));
  await world.settle(Promise.resolve(node.bundles[Symbol.asyncDispose]()));
}
