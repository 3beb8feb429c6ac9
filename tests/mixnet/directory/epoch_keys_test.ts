import { assert, assertEquals, assertThrows } from "@std/assert";
import { utf8 } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { memoryStore, namespace } from "../../../src/core/storage/mod.ts";
import { EpochKeys } from "../../../src/mixnet/mod.ts";

Deno.test("EpochKeys publishes this epoch's key and those ahead, and takes packets of the last, this and the next", () => {
  using store = memoryStore();
  using keys = new EpochKeys({ crypto, store });
  keys.advance(10);
  assertEquals([...keys.publicKeys.keys()], [10, 11, 12]);
  assertEquals(
    [8, 9, 10, 11, 12].map((epoch) => keys.keyFor(epoch) !== undefined),
    [false, false, true, true, false],
  );
  const published = keys.publicKeys.get(11);
  keys.advance(11);
  assertEquals(keys.publicKeys.get(11), published);
  assertEquals(
    [9, 10, 11, 12, 13].map((epoch) => keys.keyFor(epoch) !== undefined),
    [false, true, true, true, false],
  );
  for (const [epoch, publicKey] of keys.publicKeys) {
    const secret = keys.keyFor(epoch);
    if (secret) {
      assertEquals(crypto.x25519.publicKey(secret.expose()), publicKey);
    }
  }
});

Deno.test("EpochKeys erases the key of the epoch before the last, in memory and in the store", () => {
  using store = memoryStore();
  using keys = new EpochKeys({ crypto, store });
  keys.advance(10);
  const secret = keys.keyFor(10)!;
  const bytes = secret.expose();
  keys.advance(11);
  assert(bytes.some((byte) => byte !== 0));
  keys.advance(12);
  assertEquals(bytes, new Uint8Array(32));
  assertThrows(() => secret.expose(), TypeError);
  assertEquals(keys.keyFor(10), undefined);
  const names = [...store.entries()].map(({ key }) =>
    new TextDecoder().decode(key.subarray(-2))
  );
  assertEquals(names, ["11", "12", "13", "14"]);
});

Deno.test("EpochKeys has the same keys after a restart", () => {
  using store = memoryStore();
  const before = new EpochKeys({ crypto, store });
  before.advance(10);
  const published = before.publicKeys;
  using after = new EpochKeys({ crypto, store });
  after.advance(10);
  assertEquals(after.publicKeys, published);
});

Deno.test("EpochKeys made after a long time away has no key of the past", () => {
  using store = memoryStore();
  new EpochKeys({ crypto, store }).advance(10);
  using keys = new EpochKeys({ crypto, store });
  keys.advance(100);
  assertEquals([...keys.publicKeys.keys()], [100, 101, 102]);
  assertEquals(store.usage().entries, 3);
});

Deno.test("EpochKeys refuses a store that holds something else", () => {
  using store = memoryStore();
  namespace(store, "mixnet.epoch_keys").set(utf8("10"), utf8("no key"));
  assertThrows(
    () => new EpochKeys({ crypto, store }),
    RangeError,
    "Not an epoch key",
  );
});
