import { assert, assertEquals } from "@std/assert";
import { DemoBox } from "../cli/_demo_box.ts";

Deno.test("demo lets a member who was away catch up by bundles, a vote come to the same everywhere, and one that is removed hear nothing", async () => {
  await using box = await DemoBox.make();
  const { code, stdout, stderr } = await box.run(
    ["--stage", "groups", "--json"],
  );
  assertEquals(code, 0, stderr);
  const { groups: { members, away, vote }, fabric } = JSON.parse(stdout);
  assertEquals(fabric, undefined);
  const [alice, bob, cat] = members;
  assertEquals(
    [alice.isMember, bob.isMember, cat.isMember],
    [true, true, false],
    stdout,
  );
  assertEquals([alice.heard, bob.heard, cat.heard], [0, 30, 20]);
  assertEquals(alice.epoch, bob.epoch);
  assertEquals(away.messages, 20);
  assert(away.bundles > 20, stdout);
  assertEquals(vote, { for: 3, against: 1, total: 4, isPassed: true });
  await box.assertEmpty(stderr, 0);
});
