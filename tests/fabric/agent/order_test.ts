import { assertEquals } from "@std/assert";
import type { Message, Route } from "../../../src/fabric/mod.ts";
import { FabricWorld } from "../_fabric_world.ts";
import { messageOf } from "../_messages.ts";

const route: Route = { isLive: true, status: () => {}, answer: () => true };

Deno.test("a message that waits for one that was given up is handled as soon as a copy of it says so, though nothing else comes", async () => {
  await using world = await start();
  world.receive(1, { order: { sequence: 1, floor: 0 } });
  await world.clock.run(1_000);
  assertEquals(world.handled, []);
  world.receive(1, { order: { sequence: 1, floor: 1 } });
  await world.clock.run(100);
  assertEquals(world.handled, [1]);
});

Deno.test("a message that waits in vain ends at its deadline, though nothing else comes", async () => {
  await using world = await start();
  const { fabric } = world.bob;
  fabric.start();
  world.receive(1, { order: { sequence: 1, floor: 0 } });
  await world.clock.run(180_000);
  assertEquals(world.handled, []);
  assertEquals(fabric.counts.refused, 1);
});

async function start() {
  const world = new FabricWorld();
  const bob = await world.start("bob", "dale");
  const { fabric } = bob;
  const handled: number[] = [];
  fabric.handle(
    "t",
    (_, { message }) => void handled.push(message.payload[0]!),
  );
  return {
    ...{ bob, handled, clock: world.clock },
    receive: (n: number, fields: Partial<Message>) =>
      fabric.receive(
        messageOf(n, {
          to: fabric.agent.id,
          deadlineMs: world.clock.wallTime() + 60_000,
          ...fields,
        }),
        route,
      ),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}
