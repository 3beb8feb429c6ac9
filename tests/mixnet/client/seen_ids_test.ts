import { assertEquals } from "@std/assert";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { SeenIds } from "../../../src/mixnet/client/seen_ids.ts";

const id = (n: number) => new Uint8Array(16).fill(n);
const NOW = 1_800_000_000_000;

Deno.test("an id is known for its time, over restarts", () => {
  const store = memoryStore();
  const first = make(store);
  first.add(id(1), NOW);
  first.add(id(2), NOW + 1);
  const second = make(store);
  assertEquals([1, 2, 3].map((n) => second.has(id(n))), [true, true, false]);
  second.tick(NOW + 999);
  assertEquals(second.has(id(1)), true);
  second.tick(NOW + 1_000);
  assertEquals([1, 2].map((n) => second.has(id(n))), [false, true]);
  assertEquals(store.usage().entries, 1);
});

Deno.test("of too many ids the oldest are forgotten and counted, at the start too", () => {
  const store = memoryStore();
  const ids = make(store);
  for (const n of [1, 2, 3, 2, 4]) ids.add(id(n), NOW + n);
  assertEquals([1, 2, 3, 4].map((n) => ids.has(id(n))), [
    false,
    true,
    true,
    true,
  ]);
  assertEquals(ids.evicted, 1);
  assertEquals(store.usage().entries, 3);
  const fewer = make(store, { capacity: 1 });
  assertEquals([2, 3, 4].map((n) => fewer.has(id(n))), [false, false, true]);
  assertEquals(store.usage().entries, 1);
});

Deno.test("ids of one prefix are not those of another; a full store keeps none, memory does", () => {
  const store = memoryStore({ maxEntries: 1 });
  const messages = make(store);
  messages.add(id(1), NOW);
  messages.add(id(2), NOW);
  assertEquals(messages.has(id(2)), true);
  assertEquals(make(store).has(id(2)), false);
  assertEquals(make(store, { prefix: "u" }).has(id(1)), false);
});

function make(store: ReturnType<typeof memoryStore>, options = {}): SeenIds {
  return new SeenIds({
    store,
    prefix: "s",
    capacity: 3,
    keepMs: 1_000,
    ...options,
  });
}
