// Run on a disk of a few hundred KiB: fills it, and exits 0 if every refusal was typed and nothing stored was lost.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  readSecretFile,
  sqliteStore,
  StorageError,
  writeSecretFile,
} from "../../src/core/storage/mod.ts";

const [dir] = Deno.args;
writeSecretFile(`${dir}/key`, "old");
const kept: Uint8Array[] = [];
{
  using store = sqliteStore(`${dir}/store.db`);
  const put = () => {
    const key = new Uint8Array(4);
    new DataView(key.buffer).setUint32(0, kept.length);
    store.set(key, new Uint8Array(2_000));
    kept.push(key);
  };
  assertFull(() => {
    while (kept.length < 10_000) put();
  });
  assert(kept.length > 10);
  assertFull(() =>
    store.transaction(() => {
      for (let i = 0; i < 10_000; i++) {
        try {
          store.set(new Uint8Array([9, i >> 8, i]), new Uint8Array(2_000));
        } catch (error) {
          if (i > 10_000 - 2) throw error;
        }
      }
    })
  );
  assertEquals([...store.entries()].map(({ key }) => key), kept);
}
using again = sqliteStore(`${dir}/store.db`);
assertEquals([...again.entries()].map(({ key }) => key), kept);
assertEquals(again.usage().entries, kept.length);

assertFull(() => writeSecretFile(`${dir}/key`, "new".repeat(100_000)));
assertEquals(readSecretFile(`${dir}/key`), "old");

function assertFull(fn: () => void) {
  assertEquals(assertThrows(fn, StorageError).code, "full");
}
