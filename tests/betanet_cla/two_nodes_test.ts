import { assertEquals } from "@std/assert";
import { DtnWorld, eid, text } from "../dtn/node/_dtn_world.ts";
import { HtxWorld, SERVER } from "./_htx_world.ts";

Deno.test("two nodes exchange 100 bundles each way over a session of HTX, each once", async () => {
  await using world = new DtnWorld();
  const sessions = new HtxWorld(world.clock);
  const near = await world.node("near");
  const far = await world.node("far");
  const layer = sessions.layer({ nodeId: "dtn://far/" });
  far.serve(await layer.listen(SERVER));
  near.connect(sessions.layer({ nodeId: "dtn://near/" }), SERVER);
  using atFar = far.register(eid("dtn://far/in"));
  using atNear = near.register(eid("dtn://near/in"));
  const taken = [world.texts(atFar), world.texts(atNear)];
  const sent = Array.from({ length: 100 }, (_, i) => `bundle ${i}`).sort();
  await world.settle(Promise.all(sent.flatMap((each) => [
    near.send({ destination: eid("dtn://far/in"), payload: text(each) }),
    far.send({ destination: eid("dtn://near/in"), payload: text(each) }),
  ])));
  await world.until(() => taken.every((texts) => texts.length >= 100));
  await world.clock.run(5_000);
  for (const texts of taken) assertEquals(texts.sort(), sent);
  assertEquals(sessions.dialled.length, 1);
});
