import { assertEquals } from "@std/assert";
import type { Clock } from "../../src/core/async/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { MixLayer } from "../../src/betanet_cla/mix_layer.ts";
import { DtnWorld, eid, text } from "../dtn/node/_dtn_world.ts";
import { clientKeys, MixWorld } from "../mixnet/client/_mix_world.ts";

Deno.test("of two nodes with a contact over TCP and one through the mixnet, what wants strict privacy takes the mixnet alone", async () => {
  await using world = new DtnWorld();
  const { clock } = world;
  const mixnet = new MixWorld(clock, { loss: 0.05, meanDelayMs: 20 });
  const [near, far] = ["east", "west"].map((gateway) => {
    const client = mixnet.client(gateway, clientKeys());
    const layer = new MixLayer({ client, clock, crypto: nodeProvider });
    return { client, layer };
  });
  // Routes have fractions of a millisecond, the system's wall time has none.
  const whole: Clock = {
    now: () => clock.now(),
    wallTime: () => Math.floor(clock.wallTime()),
    setTimeout: (fn, delayMs) => clock.setTimeout(fn, delayMs),
  };
  const sender = await world.node("near", {
    clock: whole,
    wantsPrivacy: ({ primary }) => `${primary.destination}`.endsWith("secret"),
  });
  const receiver = await world.node("far", { clock: whole });
  sender.connect(sender.layer, "memory://far");
  const taken = ["secret", "open"].map((name) =>
    world.texts(receiver.register(eid(`dtn://far/${name}`)))
  );
  const sent = Array.from({ length: 10 }, (_, i) => `bundle ${i}`);
  await world.settle(
    Promise.all(
      sent.flatMap((each) =>
        ["secret", "open"].map((name) =>
          sender.send({
            destination: eid(`dtn://far/${name}`),
            payload: text(each),
          })
        )
      ),
    ),
  );
  await world.until(() => taken[1]!.length === 10);
  await clock.run(20_000);
  assertEquals(taken[0], [], "they wait");
  assertEquals(sender.counts.dropped.not_private, 10);
  receiver.serve(await far!.layer.listen(far!.layer.address));
  sender.connect(near!.layer, far!.layer.address, eid("dtn://far/"));
  await world.until(() => taken[0]!.length === 10);
  await world.until(() => sender.bundles.usage.bundles === 0);
  await clock.run(5_000);
  for (const texts of taken) assertEquals(texts.sort(), sent);
  for (const { client, layer } of [near!, far!]) {
    layer[Symbol.dispose]();
    await client[Symbol.asyncDispose]();
  }
  await mixnet.close();
});
