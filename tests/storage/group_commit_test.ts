import { assertEquals, assertRejects } from "@std/assert";
import { GroupCommit, memoryStore } from "../../src/core/storage/mod.ts";

const key = (n: number) => Uint8Array.of(n);

Deno.test("changes that are asked for together are made in one transaction, in order", async () => {
  using store = memoryStore();
  let transactions = 0;
  const counted: typeof store = Object.assign(Object.create(store), {
    transaction<T>(fn: () => T): T {
      transactions++;
      return store.transaction(fn);
    },
  });
  const commits = new GroupCommit(counted);
  await Promise.all(
    [1, 2, 3].map((value) => commits.run(() => store.set(key(1), key(value)))),
  );
  assertEquals([store.get(key(1)), transactions], [key(3), 1]);
  await commits.run(() => store.set(key(2), key(4)));
  assertEquals([store.get(key(2)), transactions], [key(4), 2]);
});

Deno.test("a change that fails leaves those of others whole", async () => {
  using store = memoryStore();
  const commits = new GroupCommit(store);
  const first = commits.run(() => store.set(key(1), key(1)));
  const failing = commits.run(() => {
    store.set(key(2), key(2));
    throw new RangeError("no");
  });
  const last = commits.run(() => store.set(key(3), key(3)));
  await assertRejects(() => failing, RangeError, "no");
  await Promise.all([first, last]);
  assertEquals([...store.entries()].map((entry) => entry.key[0]), [1, 3]);
});
