import { assertEquals } from "@std/assert";
import { nodeProvider as crypto } from "../src/core/crypto/mod.ts";
import { sqliteStore } from "../src/core/storage/mod.ts";
import { node } from "../src/mixnet/mod.ts";

const folder = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

for (const count of [4, 26, 64]) {
  const store = sqliteStore(`${folder}/${count}.sqlite`);
  const filter = new node.ReplayFilter({ store, crypto });
  const draw = () =>
    Array.from({ length: count }, () => ({ epoch: 1, tag: crypto.random(32) }));
  const some = draw();
  assertEquals(new Set(filter.remember(some)), new Set(["new"]));
  assertEquals(new Set(filter.remember(some)), new Set(["replayed"]));
  Deno.bench(`remember ${count} packets, in SQLite`, (b) => {
    const packets = draw();
    b.start();
    filter.remember(packets);
    b.end();
  });
}
