import { assert, assertEquals } from "@std/assert";
import { DemoBox } from "../cli/_demo_box.ts";

interface Phase {
  readonly name: string;
  readonly requests: number;
  readonly byRpc: number;
  readonly byBundle: number;
  readonly fallbacks: number;
}

Deno.test("demo goes on with an exchange of agents by bundles when the network is cut, returns to it, and leaves nothing behind", async () => {
  await using box = await DemoBox.make();
  const { code, stdout, stderr } = await box.run(
    ["--stage", "fabric", "--json"],
  );
  assertEquals(code, 0, stderr);
  const { fabric, dtn } = JSON.parse(stdout);
  assertEquals(dtn, undefined);
  const phases: Phase[] = fabric.phases;
  assertEquals(
    phases.map(({ name }) => name),
    ["whole", "cut midway", "mended just now", "mended"],
  );
  const [whole, cut, , mended] = phases;
  assertEquals([whole!.byRpc, whole!.byBundle], [2 * whole!.requests, 0]);
  // Bundles without a receipt yet are sent once more, live.
  assert(mended!.byRpc >= 2 * mended!.requests, stdout);
  assertEquals(mended!.byBundle, 0);
  assert(cut!.byRpc > 0 && cut!.fallbacks > 0, stdout);
  assert(cut!.byBundle > cut!.requests / 2, stdout);
  const total = phases.reduce((sum, { requests }) => sum + requests, 0);
  assertEquals(fabric.receipts, total);
  assert(fabric.signatures < 2 * total, stdout);
  await box.assertEmpty(stderr, 0);
});
