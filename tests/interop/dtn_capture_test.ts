import { assertEquals } from "@std/assert";
import { capture } from "../../src/dtn/mod.ts";
import { captured } from "./_captured.ts";
import { isAvailable } from "./_peers.ts";

Deno.test({
  name:
    "what dumpcap sees of our layers on loopback has every bundle that they sent, as it was sent",
  ignore: !isAvailable("dumpcap", ["-D"], "dtn_capture_test"),
  async fn() {
    const { file, sent } = await captured([0, 10, 5_000, 60_000], 20_000);
    const found = capture.bundlesIn(file);
    const seen: Record<string, string[]> = {};
    for (const { layer, bytes } of found) {
      (seen[layer] ??= []).push(bytes.toHex());
    }
    assertEquals([...found.drops], []);
    assertEquals(Object.keys(seen).sort(), Object.keys(sent).sort());
    for (const [layer, bundles] of Object.entries(sent)) {
      const wanted = bundles.map((bundle) => bundle.toHex()).sort();
      assertEquals(seen[layer]!.sort(), wanted, layer); // datagrams overtake each other
    }
  },
});
