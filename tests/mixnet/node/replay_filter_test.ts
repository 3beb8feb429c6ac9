import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../../src/core/crypto/mod.ts";
import {
  memoryStore,
  namespace,
  StorageError,
  type Store,
} from "../../../src/core/storage/mod.ts";
import { ReplayFilter } from "../../../src/mixnet/node/replay_filter.ts";
import { drawBytes, seededRandom } from "./_draws.ts";

const crypto = defaultProvider();

function tags(count: number, seed = 1): Uint8Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => drawBytes(random, 32));
}

const of = (epoch: number, all: Uint8Array[]) =>
  all.map((tag) => ({ epoch, tag }));

function rows(store: Store): string[] {
  return [...store.entries()].map(({ key, value }) =>
    `${key.toHex()}:${value.length / 16}`
  );
}

Deno.test("ReplayFilter takes a packet once, in one batch as in two", () => {
  using store = memoryStore();
  const filter = new ReplayFilter({ store, crypto });
  const [a, b] = tags(2) as [Uint8Array, Uint8Array];
  assertEquals(filter.remember(of(7, [a, b, a])), ["new", "new", "replayed"]);
  assertEquals(filter.remember(of(7, [b])), ["replayed"]);
});

Deno.test("ReplayFilter keeps epochs apart", () => {
  using store = memoryStore();
  const filter = new ReplayFilter({ store, crypto });
  const [a] = tags(1) as [Uint8Array];
  assertEquals(filter.remember([...of(7, [a]), ...of(8, [a])]), ["new", "new"]);
});

Deno.test("ReplayFilter has in its store what it calls new, and knows it after a restart", () => {
  using store = memoryStore();
  const all = tags(140);
  const first = new ReplayFilter({ store, crypto });
  for (let i = 0; i < all.length; i += 10) {
    first.remember(of(7, all.slice(i, i + 10)));
  }
  assertEquals(rows(store), [
    "0000000700000000:48",
    "0000000700000001:48",
    "0000000700000002:44",
  ]);
  const second = new ReplayFilter({ store, crypto });
  assertEquals(new Set(second.remember(of(7, all))), new Set(["replayed"]));
  const more = tags(100, 2);
  assertEquals(new Set(second.remember(of(7, more))), new Set(["new"]));
  const third = new ReplayFilter({ store, crypto });
  assertEquals(
    new Set(third.remember(of(7, [...all, ...more]))),
    new Set(["replayed"]),
  );
  assertEquals(third.fill, 240);
});

Deno.test("ReplayFilter goes on in a new row after a restart with a full one", () => {
  using store = memoryStore();
  new ReplayFilter({ store, crypto }).remember(of(1, tags(48)));
  new ReplayFilter({ store, crypto }).remember(of(1, tags(1, 2)));
  assertEquals(rows(store), ["0000000100000000:48", "0000000100000001:1"]);
});

Deno.test("a full ReplayFilter still knows replays, and takes nothing new but of another epoch", () => {
  using store = memoryStore();
  const filter = new ReplayFilter({ store, crypto, capacity: 3 });
  const all = tags(4);
  assertEquals(filter.remember(of(7, all)), ["new", "new", "new", "full"]);
  assertEquals(filter.remember(of(7, all)), [
    "replayed",
    "replayed",
    "replayed",
    "full",
  ]);
  assertEquals(filter.fill, 3);
  assertEquals(filter.remember(of(8, all.slice(0, 1))), ["new"]);
  assertEquals(
    new ReplayFilter({ store, crypto, capacity: 2 }).remember(of(7, all))[3],
    "full",
  );
});

Deno.test("ReplayFilter erases an epoch from memory and store, little by little if it is long", () => {
  using store = memoryStore();
  const filter = new ReplayFilter({ store, crypto });
  filter.remember(of(7, tags(48 * 100)));
  filter.remember(of(8, tags(1)));
  filter.retain((epoch) => epoch === 8);
  assertEquals(filter.epochs, [8]);
  assertEquals(store.usage().entries, 101 - 64);
  filter.remember(of(8, tags(1, 2)));
  assertEquals(rows(store), ["0000000800000000:2"]);
});

Deno.test("when its store fails, ReplayFilter throws and takes none of those packets later", () => {
  using inner = memoryStore();
  let isBroken = true;
  const store: Store = {
    ...namespace(inner, "replay"),
    set(key, value) {
      if (isBroken) throw new StorageError("io", "The disk is gone");
      namespace(inner, "replay").set(key, value);
    },
  };
  const filter = new ReplayFilter({ store, crypto });
  const all = tags(300);
  assertThrows(() => filter.remember(of(7, all)), StorageError);
  isBroken = false;
  assertEquals(new Set(filter.remember(of(7, all))), new Set(["replayed"]));
  assertEquals(filter.remember(of(7, tags(1, 2))), ["new"]);
  const restarted = new ReplayFilter({ store, crypto });
  assertEquals(restarted.remember(of(7, tags(1, 2))), ["replayed"]);
});

Deno.test("ReplayFilter refuses a store of something else", () => {
  using store = memoryStore();
  store.set(Uint8Array.of(1), new Uint8Array(16));
  assertThrows(() => new ReplayFilter({ store, crypto }), DecodeError);
  using odd = memoryStore();
  odd.set(new Uint8Array(8), new Uint8Array(17));
  assertThrows(() => new ReplayFilter({ store: odd, crypto }), DecodeError);
});
