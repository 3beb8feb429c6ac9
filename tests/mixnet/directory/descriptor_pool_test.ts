import { assertEquals } from "@std/assert";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { memoryStore, type Store } from "../../../src/core/storage/mod.ts";
import { DescriptorPool } from "../../../src/mixnet/directory/descriptor_pool.ts";
import { DirectoryError } from "../../../src/mixnet/mod.ts";
import {
  describe,
  EPOCH,
  EPOCH_MS,
  PARAMETERS,
  signed,
  START_MS,
} from "./_network.ts";

function poolOf(
  store: Store = memoryStore(),
  more: { maxNodes?: number; registered?: readonly Uint8Array[] } = {},
) {
  const options = { crypto, store, parameters: PARAMETERS, ...more };
  const pool = new DescriptorPool(options);
  const add = (bytes: Uint8Array, nowMs = START_MS) => {
    try {
      pool.add(bytes, nowMs);
    } catch (error) {
      if (error instanceof DirectoryError) return error.code;
      throw error;
    }
  };
  return { pool, add };
}

const keysOf = (...epochs: readonly number[]) =>
  new Map(epochs.map((epoch) => [epoch, crypto.x25519.publicKey(KEY)]));
const KEY = new Uint8Array(32).fill(9);

Deno.test("DescriptorPool takes no descriptor back for an older one, not when the newer has expired or after a restart either", () => {
  const store = memoryStore();
  const { add } = poolOf(store);
  const old = signed(2, { sequence: 1, expiresMs: START_MS + 3 * EPOCH_MS });
  const short = signed(2, { sequence: 2, expiresMs: START_MS + EPOCH_MS });
  assertEquals(add(old), undefined);
  assertEquals(add(short), undefined);
  assertEquals(add(old), "stale");
  assertEquals(add(signed(2, { sequence: 2, asn: 7 })), "stale");
  const laterMs = START_MS + 2 * EPOCH_MS;
  store.sweep(laterMs);
  const again = poolOf(store);
  again.pool.sweep(laterMs);
  assertEquals(again.add(old, laterMs), "stale");
  assertEquals(again.pool.hashesOf(EPOCH + 2), []);
  again.pool.sweep(START_MS + 3 * EPOCH_MS);
  assertEquals(again.pool.size, 0);
});

Deno.test("DescriptorPool refuses keys of past or distant epochs, of low order, and expiries that are over or distant", () => {
  const { pool, add } = poolOf();
  const cases = [
    [{ sphinxKeys: keysOf(EPOCH - 2, EPOCH - 1) }, "stale"],
    [{ sphinxKeys: keysOf(EPOCH, EPOCH + 9) }, "future"],
    [{ expiresMs: START_MS }, "stale"],
    [{ expiresMs: START_MS + 10 * EPOCH_MS }, "future"],
    [{ linkKey: new Uint8Array(32) }, "malformed"],
    [
      { sphinxKeys: new Map([[EPOCH, new Uint8Array(32).fill(0, 1)]]) },
      "malformed",
    ],
    [{ network: "other" }, "wrong_network"],
  ] as const;
  for (const [changes, code] of cases) {
    assertEquals(add(signed(2, changes)), code, JSON.stringify(changes));
  }
  assertEquals(pool.size, 0);
  assertEquals(
    add(signed(2, { sphinxKeys: keysOf(EPOCH, EPOCH + 8) })),
    undefined,
  );
});

Deno.test("DescriptorPool that is full takes newer descriptors of nodes it knows, and no other node", () => {
  const { pool, add } = poolOf(memoryStore(), { maxNodes: 2 });
  assertEquals([2, 3, 4].map((i) => add(signed(i))), [
    undefined,
    undefined,
    "full",
  ]);
  assertEquals(add(signed(3, { sequence: 2 })), undefined);
  assertEquals(pool.size, 2);
  assertEquals(pool.hashesOf(EPOCH).length, 2);
});

Deno.test("DescriptorPool forgets at a restart who is not registered any more, and what is no descriptor", () => {
  const store = memoryStore();
  const { add } = poolOf(store);
  for (const i of [2, 3]) add(signed(i));
  for (const { key, value } of [...store.entries()].slice(0, 1)) {
    store.set(key, value.subarray(1));
  }
  const registered = [2, 3].map((i) => describe(i).descriptor.identityKey);
  assertEquals(poolOf(store, { registered }).pool.size, 1);
  assertEquals(poolOf(store, { registered: [] }).pool.size, 0);
  assertEquals(store.usage().entries, 0);
});
