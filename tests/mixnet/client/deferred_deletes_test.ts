import { assertEquals, assertThrows } from "@std/assert";
import { memoryStore, StorageError } from "../../../src/core/storage/mod.ts";
import { DeferredDeletes } from "../../../src/mixnet/client/deferred_deletes.ts";

const key = (n: number) => Uint8Array.of(n);

Deno.test("what cannot be deleted is deleted later, unless it was set again meanwhile", () => {
  const inner = memoryStore();
  let isBroken = false;
  const remove = inner.delete.bind(inner);
  Object.assign(inner, {
    delete: (key: Uint8Array) => {
      if (isBroken) throw new StorageError("io", "Store failed");
      return remove(key);
    },
  });
  const store = new DeferredDeletes(inner);
  for (const n of [1, 2, 3]) store.set(key(n), key(n));
  assertEquals(store.delete(key(1)), true);
  isBroken = true;
  assertEquals(store.delete(key(2)), false);
  assertEquals(store.delete(key(3)), false);
  assertThrows(() => store.retry(), StorageError);
  store.set(key(3), key(4));
  isBroken = false;
  store.retry();
  assertEquals([...store.entries()], [{ key: key(3), value: key(4) }]);
});
