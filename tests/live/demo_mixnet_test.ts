import { assert, assertEquals } from "@std/assert";
import { DemoBox } from "../cli/_demo_box.ts";

Deno.test("demo sends an anonymous message and its reply through a mixnet, and leaves nothing behind", async () => {
  await using box = await DemoBox.make();
  const { code, stdout, stderr } = await box.run(
    ["--stage", "mixnet", "--json"],
  );
  assertEquals(code, 0, stderr);
  const { mixnet, carriers } = JSON.parse(stdout);
  assertEquals(carriers, undefined);
  const { messageMs, replyMs, loopMs, nodes } = mixnet;
  assert(0 < messageMs && messageMs < replyMs && 0 < loopMs, stdout);
  assertEquals(
    nodes.map(({ name }: { name: string }) => name),
    ["gateway 1", "gateway 2", "mix 1", "mix 2", "mix 3"],
  );
  for (const { packets, delayMs, setSize } of nodes) {
    assert(packets > 0 && delayMs > 0 && setSize > 1, stdout);
  }
  await box.assertEmpty(stderr, 6);
});
