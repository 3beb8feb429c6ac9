import { assert, assertEquals, assertThrows } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import {
  CryptoError,
  nodeProvider,
  Secret,
} from "../../../src/core/crypto/mod.ts";
import {
  memoryStore,
  sqliteStore,
  StorageError,
  type Store,
} from "../../../src/core/storage/mod.ts";
import type {
  BundleEntry,
  Priority,
} from "../../../src/dtn/store/bundle_entry.ts";
import {
  BundleStore,
  type BundleStoreOptions,
  type PutOutcome,
} from "../../../src/dtn/store/bundle_store.ts";

const SECRET = new Secret(new Uint8Array(32).fill(7));
const OPENERS: Record<string, () => Store> = {
  memory: () => memoryStore(),
  sqlite: () => sqliteStore(Deno.makeTempDirSync() + "/bundles.sqlite"),
};

/** A store of bundles, and what a test says with few words. */
class Box implements Disposable {
  readonly clock = new VirtualClock();
  bundles: BundleStore;

  constructor(
    readonly store: Store = memoryStore(),
    readonly options: Partial<BundleStoreOptions> = {},
  ) {
    this.bundles = this.open();
  }

  open(): BundleStore {
    return new BundleStore({
      store: this.store,
      crypto: nodeProvider,
      clock: this.clock,
      ...this.options,
    });
  }

  entry(n: number, changes: Partial<BundleEntry> = {}): BundleEntry {
    return {
      id: `dtn://source/app-${n}-0`,
      source: "dtn://source/app",
      destination: `dtn://node${n % 3}/in`,
      size: 100,
      priority: 1,
      expiresMs: this.clock.wallTime() + 60_000,
      receivedMs: this.clock.wallTime(),
      from: "dtn://neighbour/",
      ...changes,
    };
  }

  async put(
    n: number,
    changes: Partial<BundleEntry> = {},
  ): Promise<PutOutcome> {
    const entry = this.entry(n, changes);
    const outcome = this.bundles.put(entry, bytesOf(n, entry.size));
    this.bundles.commit();
    return await outcome;
  }

  get ids(): number[] {
    return [...this.bundles.entries()].map(({ id }) => numberOf(id));
  }

  [Symbol.dispose](): void {
    this.bundles[Symbol.dispose]();
    this.store[Symbol.dispose]();
  }
}

function bytesOf(n: number, size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(size).fill(n);
}

function numberOf(id: string): number {
  return Number(id.split("-")[1]);
}

for (const [name, open] of Object.entries(OPENERS)) {
  for (const secret of [undefined, SECRET]) {
    const options = secret ? { secret } : {};
    const what = `${secret ? "sealed" : "plain"} bundles in ${name}`;

    Deno.test(`${what} come back as they were put, short and long, and are known when they are gone`, async () => {
      using box = new Box(open(), options);
      const sizes = [[1, 1], [2, 4_096], [3, 4_097], [4, 200_000]] as const;
      const areThere = () => {
        for (const [n, size] of sizes) {
          const entry = box.entry(n, { size });
          assertEquals(box.bundles.entry(entry.id), entry);
          assertEquals(box.bundles.bytes(entry.id), bytesOf(n, size));
        }
      };
      for (const [n, size] of sizes) {
        assertEquals(await box.put(n, { size }), "stored");
      }
      areThere();
      box.bundles[Symbol.dispose]();
      box.bundles = box.open();
      areThere();
      const { id } = box.entry(3);
      assertEquals(await box.put(3), "known");
      assertEquals(box.bundles.usage, {
        bundles: 4,
        bytes: 1 + 4_096 + 4_097 + 200_000,
        known: 0,
        forgotten: 0,
        damaged: 0,
      });
      assert(box.bundles.delete(id));
      assert(!box.bundles.delete(id));
      assertEquals(box.bundles.bytes(id), undefined);
      assertEquals(box.bundles.entry(id), undefined);
      assert(box.bundles.knows(id));
      assertEquals(await box.put(3), "known");
      assertEquals(box.bundles.usage.known, 1);
      assertEquals(box.bundles.usage.bundles, 3);
      assert(!box.bundles.knows("dtn://source/app-9-0"));
    });

    Deno.test(`${what} are there after a restart, and so is what is known`, async () => {
      using box = new Box(open(), options);
      await box.put(1);
      await box.put(2, { size: 9_000 });
      box.bundles.delete(box.entry(1).id);
      const usage = box.bundles.usage;
      box.bundles[Symbol.dispose]();
      box.bundles = box.open();
      assertEquals(box.bundles.usage, usage);
      assertEquals(await box.put(1), "known");
      assertEquals(box.bundles.bytes(box.entry(2).id), bytesOf(2, 9_000));
      assertEquals(await box.put(3), "stored");
      assertEquals(box.ids, [2, 3]);
    });
  }
}

Deno.test("entries() gives expedited bundles first, each class in the order of arrival, and those of one destination", async () => {
  using box = new Box();
  const classes: Priority[] = [0, 2, 1, 2, 0, 1];
  for (const [i, priority] of classes.entries()) await box.put(i, { priority });
  assertEquals(box.ids, [1, 3, 2, 5, 0, 4]);
  const to = [...box.bundles.entries("dtn://node0/in")];
  assertEquals(to.map(({ id }) => numberOf(id)), [3, 0]);
  assertEquals([...box.bundles.entries("dtn://nobody/in")], []);
});

Deno.test("entries() goes on while bundles are deleted and added", async () => {
  using box = new Box();
  for (let n = 0; n < 600; n++) await box.put(n);
  let seen = 0;
  for (const { id } of box.bundles.entries()) {
    assertEquals(numberOf(id), seen++);
    box.bundles.delete(id);
  }
  assertEquals(seen, 600);
  assertEquals(box.bundles.usage.bundles, 0);
});

Deno.test("sweep() removes what has expired, and forgets the ids of what would have", async () => {
  using box = new Box();
  const now = box.clock.wallTime();
  for (const n of [1, 2, 3, 4]) {
    await box.put(n, { expiresMs: now + n * 1_000 });
  }
  box.bundles.delete(box.entry(2).id);
  assertEquals(box.bundles.sweep(now + 999), []);
  const gone = box.bundles.sweep(now + 3_000);
  assertEquals(gone.map(({ id }) => numberOf(id)), [1, 3]);
  assertEquals(box.ids, [4]);
  assertEquals([1, 2, 3, 4].map((n) => box.bundles.knows(box.entry(n).id)), [
    false,
    false,
    false,
    true,
  ]);
  assertEquals(box.bundles.usage.known, 0);
  box.clock.advance(5_000);
  assertEquals(await box.put(1, { expiresMs: now + 5_000 }), "expired");
});

Deno.test("sweep() removes 1,024 bundles at most, so that a node stays responsive", async () => {
  using box = new Box();
  const puts = Array.from(
    { length: 1_500 },
    (_, n) => box.bundles.put(box.entry(n), bytesOf(n, 100)),
  );
  box.bundles.commit();
  assertEquals(new Set(await Promise.all(puts)), new Set(["stored"]));
  const end = box.clock.wallTime() + 60_000;
  assertEquals(box.bundles.sweep(end).length, 1_024);
  assertEquals(box.bundles.sweep(end).length, 476);
  assertEquals(box.bundles.sweep(end).length, 0);
});

Deno.test("sweep() every second writes once a minute where nothing has expired", async () => {
  const store = memoryStore();
  let changes = 0;
  using box = new Box({
    ...bound(store),
    transaction(fn) {
      changes++;
      return store.transaction(fn);
    },
  });
  await box.put(1, { expiresMs: box.clock.wallTime() + 600_000 });
  changes = 0;
  const now = box.clock.wallTime();
  for (let s = 0; s < 120; s++) {
    assertEquals(box.bundles.sweep(now + 1_000 * s), []);
  }
  assertEquals(changes, 2);
});

Deno.test("a store has a bound for bundles, for bytes and for each class of service, and refuses beyond", async () => {
  using box = new Box(memoryStore(), {
    limits: { maxBundles: 10, maxBytes: 10_000, maxBundleBytes: 4_000 },
  });
  assertEquals(await box.put(0, { size: 4_001 }), "too_large");
  for (let n = 0; n < 8; n++) {
    assertEquals(await box.put(n, { priority: 0 }), "stored");
  }
  assertEquals(await box.put(8, { priority: 0 }), "priority_full");
  assertEquals(await box.put(8, { priority: 1 }), "stored");
  assertEquals(await box.put(9, { priority: 1 }), "priority_full");
  assertEquals(await box.put(9, { priority: 2 }), "stored");
  assertEquals(await box.put(10, { priority: 2 }), "full");
  box.bundles.delete(box.entry(0).id);
  assertEquals(await box.put(10, { priority: 2, size: 4_000 }), "stored");
  box.bundles.delete(box.entry(1).id);
  assertEquals(await box.put(11, { priority: 2, size: 4_000 }), "stored");
  box.bundles.delete(box.entry(2).id);
  assertEquals(await box.put(12, { priority: 2, size: 4_000 }), "full");
});

Deno.test("a store that evicts gives the oldest of the lowest class for what is above it, and nothing for its equals", async () => {
  const evicted: number[] = [];
  using box = new Box(memoryStore(), {
    limits: { maxBundles: 4, shares: [1, 1, 1] },
    evicts: true,
    onEvicted: ({ id }) => evicted.push(numberOf(id)),
  });
  for (const [n, priority] of [[0, 1], [1, 0], [2, 0], [3, 2]] as const) {
    await box.put(n, { priority });
  }
  assertEquals(await box.put(4, { priority: 0 }), "full");
  assertEquals(await box.put(5, { priority: 1 }), "stored");
  assertEquals(await box.put(6, { priority: 2 }), "stored");
  assertEquals(await box.put(7, { priority: 2 }), "stored");
  assertEquals(evicted, [1, 2, 0]);
  assertEquals(await box.put(1), "known");
  assertEquals(box.ids, [3, 6, 7, 5]);
});

Deno.test("ids of bundles that are gone are bounded: beyond, they are forgotten and counted", async () => {
  using box = new Box(memoryStore(), { limits: { maxKnown: 2 } });
  for (const n of [1, 2, 3]) {
    await box.put(n);
    box.bundles.delete(box.entry(n).id);
  }
  assertEquals(box.bundles.usage.known, 2);
  assertEquals(box.bundles.usage.forgotten, 1);
  assertEquals(await box.put(3), "stored");
  assertEquals(await box.put(2), "known");
});

Deno.test("puts of one turn are one transaction, in which one that does not fit fails alone", async () => {
  let transactions = 0;
  const memory = memoryStore({ maxEntries: 1_000, maxBytes: 20_000 });
  const counting: Store = {
    ...bound(memory),
    transaction: (fn) => {
      transactions++;
      return memory.transaction(fn);
    },
  };
  using box = new Box(counting);
  const few = [1, 2, 3].map((n) =>
    box.bundles.put(box.entry(n), bytesOf(n, 100))
  );
  assertEquals(transactions, 0);
  await box.clock.run(1);
  assertEquals(await Promise.all(few), ["stored", "stored", "stored"]);
  assertEquals(transactions, 1);
  const mixed = [4, 5, 6].map((n) =>
    box.bundles.put(
      box.entry(n, { size: n === 5 ? 30_000 : 100 }),
      bytesOf(n, n === 5 ? 30_000 : 100),
    )
  );
  await box.clock.run(1);
  assertEquals(await Promise.all(mixed), ["stored", "full", "stored"]);
  assertEquals(box.ids, [1, 2, 3, 4, 6]);
  assertEquals(box.bundles.usage.bundles, 5);
});

Deno.test("what is deleted soon is gone at once, in one transaction with what else is deleted or put soon, and again after a restart", async () => {
  let transactions = 0;
  const memory = memoryStore();
  let fails = 0;
  const counting: Store = {
    ...bound(memory),
    transaction: (fn) => {
      transactions++;
      if (fails-- > 0) throw new StorageError("full", "Disk is full");
      return memory.transaction(fn);
    },
  };
  using box = new Box(counting);
  for (const n of [1, 2, 3, 4]) await box.put(n);
  transactions = 0;
  const idOf = (n: number) => box.entry(n).id;
  const gone = [1, 2, 3].map((n) => box.bundles.deleteSoon(idOf(n)));
  assertEquals([box.ids, transactions], [[4], 0]);
  assertEquals(box.bundles.entry(idOf(1)), undefined);
  assertEquals(box.bundles.bytes(idOf(1)), undefined);
  assertEquals(box.bundles.delete(idOf(1)), false);
  assertEquals(box.bundles.knows(idOf(1)), true);
  await box.clock.run(9);
  assertEquals(transactions, 0);
  await box.clock.run(1);
  await Promise.all(gone);
  assertEquals(transactions, 1);
  assertEquals(box.bundles.usage, {
    bundles: 1,
    bytes: 100,
    known: 3,
    forgotten: 0,
    damaged: 0,
  });
  assertEquals(await box.put(1), "known");
  await box.bundles.deleteSoon(idOf(1));
  assertEquals(await box.put(5), "stored");
  transactions = 0;
  const fifth = box.bundles.deleteSoon(idOf(5));
  assertEquals(await box.put(5), "known");
  await fifth;
  assertEquals(transactions, 1);
  box.bundles = box.open();
  assertEquals(box.ids, [4]);

  fails = 2; // the group, and the bundle by itself
  const failed = box.bundles.deleteSoon(idOf(4)).catch(({ code }) => code);
  assertEquals(box.ids, []);
  box.bundles.commit();
  assertEquals(await failed, "full");
  assertEquals([box.ids, box.bundles.usage.bundles], [[4], 1]);
});

Deno.test("the latest bundles are read from memory, 8,192 of them and 32 MiB at most, the others from the store", async () => {
  const memory = memoryStore();
  let reads = 0;
  const counting: Store = {
    ...bound(memory),
    get: (key) => {
      reads++;
      return memory.get(key);
    },
  };
  const readsOf = (n: number, size: number) => {
    reads = 0;
    assertEquals(box.bundles.bytes(box.entry(n).id), bytesOf(n, size));
    return reads;
  };
  using box = new Box(counting);
  await box.put(0);
  for (let n = 1; n < 8_192; n++) await box.put(n, { size: 1 });
  assertEquals([readsOf(0, 100), readsOf(8_191, 1)], [0, 0]);
  await box.put(8_192);
  assertEquals([readsOf(0, 100), readsOf(1, 1)], [2, 0]);
  const mib = 1_048_576;
  for (let n = 10_000; n < 10_033; n++) await box.put(n, { size: mib });
  assertEquals([readsOf(8_191, 1), readsOf(10_000, mib)], [2, 3]);
  assertEquals(readsOf(10_001, mib), 0);
});

Deno.test("replace() puts one bundle in the place of others, in a full store too and after a restart; refused, it changes nothing", async () => {
  using box = new Box(memoryStore(), {
    limits: { maxBundles: 3, maxBundleBytes: 5_000, shares: [1, 1, 1] },
  });
  for (const n of [1, 2, 3]) await box.put(n);
  const ids = [1, 2].map((n) => box.entry(n).id);
  const replace = (n: number, changes: Partial<BundleEntry> = {}) => {
    const entry = box.entry(n, changes);
    return box.bundles.replace(ids, entry, bytesOf(n, entry.size));
  };
  assertEquals(replace(9, { size: 6_000 }), "too_large");
  assertEquals(replace(9, { expiresMs: 0 }), "expired");
  assertEquals(replace(3), "known");
  assertEquals(box.ids, [1, 2, 3]);
  assertEquals(box.bundles.usage.known, 0);
  assertEquals(replace(4, { size: 4_500 }), "stored");
  const areThere = () => {
    assertEquals(box.ids, [3, 4]);
    assertEquals(box.bundles.bytes(box.entry(4).id), bytesOf(4, 4_500));
    assert(ids.every((id) => box.bundles.knows(id)));
    assertEquals(box.bundles.usage.bytes, 100 + 4_500);
  };
  areThere();
  box.bundles = box.open(); // the one before commits nothing
  areThere();
});

Deno.test("a disk that fails is told to who put, and leaves the totals as they were", async () => {
  const memory = memoryStore();
  let fails = false;
  const failing: Store = {
    ...bound(memory),
    set: (...args) => {
      if (fails) throw new StorageError("io", "Store failed");
      memory.set(...args);
    },
  };
  using box = new Box(failing);
  await box.put(1);
  fails = true;
  const put = box.put(2).catch((error) => error.code);
  assertEquals(await put, "io");
  assertThrows(() => box.bundles.delete(box.entry(1).id), StorageError);
  fails = false;
  assertEquals(box.bundles.usage.bundles, 1);
  assertEquals(box.ids, [1]);
  assertEquals(await box.put(2), "stored");
});

Deno.test("what is sealed shows neither ids, endpoints nor payloads, and is read with its key only", async () => {
  const store = memoryStore();
  using box = new Box(store, { secret: SECRET });
  await box.put(1, { size: 50 });
  await box.put(2, { size: 5_000 });
  for (const { key, value } of store.entries()) {
    const text = new TextDecoder("latin1").decode(key) +
      new TextDecoder("latin1").decode(value);
    assert(!text.includes("dtn:"), text);
    assert(
      !text.includes("\x01".repeat(8)) && !text.includes("\x02".repeat(8)),
    );
  }
});

Deno.test("a store is opened with the secret that sealed it, or without one if none did", async () => {
  const open = (store: Store, secret?: Secret) => {
    new Box(store, secret ? { secret } : {});
  };
  const [sealed, clear] = [memoryStore(), memoryStore()];
  using one = new Box(sealed, { secret: SECRET });
  using other = new Box(clear);
  await Promise.all([one.put(1), other.put(1)]);
  open(sealed, SECRET);
  open(clear);
  const wrong = new Secret(new Uint8Array(32).fill(8));
  assertThrows(() => open(sealed, wrong), CryptoError);
  assertThrows(() => open(sealed), DecodeError);
  assertThrows(() => open(clear, SECRET), DecodeError);
});

Deno.test("a store of something else is refused", async () => {
  const store = memoryStore();
  using box = new Box(store);
  await box.put(1);
  store.set(Uint8Array.of(0x74), Uint8Array.of(255));
  assertThrows(() => box.open(), DecodeError);
});

for (const secret of [undefined, SECRET]) {
  Deno.test(`what the disk damages hides no other bundle and goes when it expires, ${secret ? "sealed" : "in clear"}`, async () => {
    const store = memoryStore();
    using box = new Box(store, secret ? { secret } : {});
    for (let n = 1; n <= 4; n++) await box.put(n, { size: 5_000 });
    const [, second] = [...store.entries(Uint8Array.of(0x6d))];
    store.set(second!.key, second!.value.fill(9));
    const [, , third] = [...store.entries(Uint8Array.of(0x62))];
    if (secret) store.set(third!.key, third!.value.fill(9));
    box.bundles = box.open();
    const ids = [1, 3, 4].map((n) => box.entry(n).id);
    assertEquals([...box.bundles.entries()].map(({ id }) => id), ids);
    assertEquals(box.bundles.entry(box.entry(2).id), undefined);
    const whole = ids.map((id) => box.bundles.bytes(id) !== undefined);
    assertEquals(whole, [true, !secret, true]);
    assertEquals(box.bundles.usage.damaged, secret ? 3 : 2);
    box.clock.advance(60_000);
    const gone = box.bundles.sweep(box.clock.wallTime());
    assertEquals(gone.map(({ id }) => id), ids);
    assertEquals(box.bundles.usage.bundles, 0);
    assertEquals(box.bundles.sweep(box.clock.wallTime()), []);
    const left = [...store.entries()].map(({ key }) =>
      String.fromCharCode(key[0]!)
    );
    assertEquals(left, ["c", "d", "i", "t"]);
  });
}

function bound(store: Store): Store {
  return {
    get: (key) => store.get(key),
    set: (...args) => store.set(...args),
    delete: (key) => store.delete(key),
    entries: (prefix) => store.entries(prefix),
    transaction: (fn) => store.transaction(fn),
    sweep: (now) => store.sweep(now),
    usage: () => store.usage(),
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
}
