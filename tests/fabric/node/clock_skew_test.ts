import { assertEquals, assertRejects } from "@std/assert";
import { FabricError } from "../../../src/fabric/mod.ts";
import { FabricWorld, keptOf } from "../_fabric_world.ts";

for (const skewMs of [-240_000, 240_000]) {
  Deno.test(`requests reach a node whose clock is ${skewMs / 1_000} s ahead, with the time that they have left`, async () => {
    await using world = new FabricWorld();
    const ana = await world.start("ana", "hill");
    const bob = await world.start("bob", "dale", {}, keptOf(), skewMs);
    world.introduce(ana, bob);
    const left = (deadlineMs: number) =>
      deadlineMs - world.clock.wallTime() - skewMs;
    bob.fabric.handle("left", (_, { message }) => left(message.deadlineMs));
    bob.fabric.handle("never", () => new Promise(() => {}));
    const to = bob.fabric.agent.id;
    const ask = (type: string, lifetimeMs: number) =>
      ana.fabric.request(to, type, null, { lifetimeMs });
    const ms = await world.settle(ask("left", 20_000)) as number;
    assertEquals(ms > 18_000 && ms <= 20_000, true, `${ms}`);
    const before = world.clock.now();
    const never = ask("never", 5_000);
    never.catch(() => {});
    await world.settle(assertRejects(() => never, FabricError));
    assertEquals(world.clock.now() - before < 7_000, true);
    bob.fabric.handle("tell", () => {});
    const sent = await world.settle(
      ana.fabric.notify(to, "tell", 1, { lifetimeMs: 20_000 }),
    );
    assertEquals(await world.settle(sent.settled), undefined);
  });
}

Deno.test("a node whose clock is more than five minutes ahead is not believed", async () => {
  await using world = new FabricWorld();
  const ana = await world.start("ana", "hill");
  const bob = await world.start("bob", "dale", {}, keptOf(), 600_000);
  const { code } = await assertRejects(
    () => Promise.resolve().then(() => ana.book.learn(bob.record())),
    FabricError,
  );
  assertEquals(code, "expired");
});
