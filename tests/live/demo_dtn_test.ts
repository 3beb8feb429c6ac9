import { assert, assertEquals } from "@std/assert";
import { DemoBox } from "../cli/_demo_box.ts";

Deno.test("demo carries a tree of files over three nodes of bundles that are up in pairs, and leaves nothing behind", async () => {
  await using box = await DemoBox.make();
  const { code, stdout, stderr } = await box.run(["--stage", "dtn", "--json"]);
  assertEquals(code, 0, stderr);
  const { dtn, carriers, mixnet } = JSON.parse(stdout);
  assertEquals([carriers, mixnet], [undefined, undefined]);
  assertEquals(dtn.files, 300);
  assert(dtn.bytes > 40_000_000, stdout);
  const pairs = dtn.contacts.map(({ from, to }: Record<string, string>) =>
    `${from} ${to}`
  );
  const turns = ["sender relay", "relay receiver"];
  assertEquals(pairs, Array(pairs.length / 2).fill(turns).flat());
  for (const giver of ["sender", "relay"]) {
    const crossing = dtn.contacts.filter(
      ({ from, bundles }: { from: string; bundles: number }) =>
        from === giver && bundles > 0,
    );
    assert(crossing.length > 1, stdout);
  }
  for (const { left } of dtn.contacts.slice(-2)) assertEquals(left, 0);
  await box.assertEmpty(stderr, 0);
});
