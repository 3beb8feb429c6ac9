/**
 * What a change of a store on disk costs at the least: rows of 1 KiB, alone and many in one transaction.
 *
 * `deno bench -A bench/storage_bench.ts`
 *
 * @module
 */
import { equal, Writer } from "../src/core/bytes/mod.ts";
import {
  sqliteStore,
  type SqliteStoreOptions,
} from "../src/core/storage/mod.ts";

const FOLDER = Deno.makeTempDirSync();
globalThis.addEventListener(
  "unload",
  () => Deno.removeSync(FOLDER, { recursive: true }),
);
const BATCH = 64;
const VALUE = new Uint8Array(1_024).fill(7);
const LIMITS = { maxEntries: 10_000_000, maxBytes: 2 ** 34 };
/** As the programs have it. */
const LOG_BYTES = 64 * 1024 * 1024;

for (const synchronous of ["normal", "full"] as const) {
  const { store, keyOf, add } = world({ synchronous });
  const bench = (what: string, work: () => void) =>
    Deno.bench(`${what}, ${synchronous}`, { group: what }, work);
  bench("add a row", () => add(1));
  bench(`add ${BATCH} rows in a transaction`, () => add(BATCH));
  bench(`add ${BATCH} rows and remove them, in a transaction each`, () => {
    const first = add(BATCH);
    store.transaction(() => {
      for (let i = 0; i < BATCH; i++) store.delete(keyOf(first + i));
    });
  });
  if (synchronous === "full") continue;
  const first = add(BATCH);
  bench("read a row", () => {
    if (!equal(store.get(keyOf(first))!, VALUE)) throw new Error("Not there");
  });
}

function world(options: SqliteStoreOptions) {
  const path = `${FOLDER}/${options.synchronous}.sqlite`;
  const store = sqliteStore(path, {
    ...LIMITS,
    logBytes: LOG_BYTES,
    ...options,
  });
  let next = 0;
  const keyOf = (n: number) => new Writer(9).u8(0x6d).u64(BigInt(n)).finish();
  /** Adds rows in one transaction, and gives the number of the first. */
  const add = (count: number) => {
    const first = next;
    store.transaction(() => {
      for (let i = 0; i < count; i++) store.set(keyOf(next++), VALUE);
    });
    return first;
  };
  return { store, keyOf, add };
}
