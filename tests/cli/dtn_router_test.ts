import { assertEquals } from "@std/assert";
import { routerOf } from "../../cli/dtn/router_of.ts";
import { readDtnConfig } from "../../cli/dtn/settings.ts";
import { concat, utf8 } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import { BundleStore } from "../../src/dtn/mod.ts";

Deno.test("a summary vector names what is here, but nothing that wants strict privacy", async () => {
  const config = readDtnConfig(undefined, {
    "node.id": "dtn://a/",
    "routing.by": "epidemic",
  });
  const store = memoryStore();
  using bundles = new BundleStore({ store: memoryStore(), crypto });
  const names = ["dtn://a/-1-0", "dtn://a/-2-0", "dtn://a/-3-0"];
  const putting = names.map((id, n) =>
    bundles.put({
      ...{ id, source: "dtn://a/", destination: "dtn://b/in", priority: 1 },
      ...{ size: 1, receivedMs: 0, expiresMs: Date.now() + 60_000 },
      ...n === 1 && { isPrivate: true },
    }, Uint8Array.of(n))
  );
  assertEquals(await Promise.all(putting), ["stored", "stored", "stored"]);
  const router = routerOf(config, { crypto, store, bundles });
  const [told] = router.contactBegan("dtn://c/", 0);
  const tags = [names[0]!, names[2]!].map((name) =>
    crypto.hash("sha256", utf8(name)).slice(0, 8)
  );
  assertEquals(told?.bytes, concat(Uint8Array.of(1), ...tags));
});
