import { assert, assertEquals } from "@std/assert";
import { GroupWorld, seeded } from "./_group_world.ts";

Deno.test("members who are added read what is published then, and not what was before", async () => {
  const world = new GroupWorld(seeded(1));
  const [ana, bob] = await world.group(["ana", "bob"]);
  await world.publish(ana!, "one");
  const cat = world.member("cat");
  await world.deliver();
  await world.add(bob!, cat);
  await world.deliver();
  await world.publish(cat, "two");
  await world.deliver();
  assertEquals([ana!.heard, bob!.heard, cat.heard], [
    ["two"],
    ["one", "two"],
    [],
  ]);
  assertEquals(new Set([ana!, bob!, cat].map(({ view }) => view)).size, 1);
  assert(ana!.view.startsWith("2 "));
});
