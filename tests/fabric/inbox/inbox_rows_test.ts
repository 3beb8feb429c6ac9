import { assert, assertEquals, assertLess } from "@std/assert";
import type { Bytes } from "../../../src/core/bytes/mod.ts";
import { memoryStore, type Store } from "../../../src/core/storage/mod.ts";
import { IdFilter } from "../../../src/fabric/inbox/id_filter.ts";
import { InboxRows } from "../../../src/fabric/inbox/inbox_rows.ts";
import { ana, bob } from "../_messages.ts";

const HANDLED = { state: "handled", reason: "", atMs: 5 } as const;
const NEVER_MS = 2 ** 50;

/** An id that looks random, the same for each number. */
function idOf(n: number): Bytes {
  const id = new Uint8Array(16);
  const view = new DataView(id.buffer);
  for (let at = 0; at < 16; at += 4) {
    view.setUint32(at, Math.imul(n + at + 1, 0x9e3779b1) ^ n << at);
  }
  return id;
}

function counted() {
  const store = memoryStore();
  const asked = { times: 0 };
  const counting: Store = {
    get(key) {
      asked.times++;
      return store.get(key);
    },
    set: (...args) => store.set(...args),
    delete: (key) => store.delete(key),
    entries: (...args) => store.entries(...args),
    transaction: (fn) => store.transaction(fn),
    sweep: (now) => store.sweep(now),
    usage: () => store.usage(),
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
  const of = (rows: InboxRows, n: number, from = ana.id) => {
    const { times } = asked;
    const { state } = rows.outcome({ from, id: idOf(n) }) ?? {};
    return [state, asked.times - times];
  };
  const add = (rows: InboxRows, n: number) =>
    rows.setOutcome({ from: ana.id, id: idOf(n) }, HANDLED, NEVER_MS);
  return { store: counting, of, add };
}

Deno.test("the store is asked about what it may have alone, also after a restart", () => {
  const { store, of, add } = counted();
  const first = new InboxRows(store);
  assertEquals(of(first, 1), [undefined, 0]);
  add(first, 1);
  assertEquals(of(first, 1), ["handled", 1]);
  assertEquals(of(first, 1, bob.id), [undefined, 1]);
  const second = new InboxRows(store);
  assertEquals(of(second, 1), ["handled", 1]);
  assertEquals(of(second, 2), [undefined, 0]);
});

Deno.test("until all outcomes of an earlier life are known, the store is asked", () => {
  const { store, of, add } = counted();
  const first = new InboxRows(store);
  for (let n = 0; n < 25_000; n++) add(first, n);
  const second = new InboxRows(store);
  for (let sweeps = 0; sweeps < 4; sweeps++) {
    for (let n = 0; n < 25_000; n += 500) {
      assertEquals(of(second, n), ["handled", 1]);
    }
    assertEquals(of(second, -1), [undefined, 1]);
    second.sweep(0);
  }
  for (let sweeps = 0; sweeps < 2; sweeps++) second.sweep(0);
  for (let n = 0; n < 25_000; n += 500) {
    assertEquals(of(second, n), ["handled", 1]);
  }
  assertEquals(of(second, -1), [undefined, 0]);
});

Deno.test("outcomes are found however many come, and what was forgotten is asked for no more", () => {
  const { store, of, add } = counted();
  const rows = new InboxRows(store);
  for (let n = 0; n < 20_000; n++) {
    rows.setOutcome({ from: ana.id, id: idOf(n) }, HANDLED, n < 19_990 ? 1 : 9);
  }
  assertEquals(of(rows, 19_995), ["handled", 1]);
  assertEquals(of(rows, -1), [undefined, 1]);
  rows.sweep(1);
  assertEquals(of(rows, 19_995), ["handled", 1]);
  assertEquals(of(rows, 5), [undefined, 0]);
  add(rows, 5);
  assertEquals(of(rows, 5), ["handled", 1]);
});

Deno.test("IdFilter says of every id that it may be in it if it is, and of few others", () => {
  const filter = new IdFilter(4_096);
  for (let n = 0; n < 4_096; n++) {
    assertEquals(filter.isFull, false);
    filter.add(crypto.getRandomValues(new Uint8Array(16)));
  }
  const held = Array.from({ length: 500 }, (_, n) => idOf(n));
  for (const id of held) filter.add(id);
  assert(filter.isFull);
  assert(held.every((id) => filter.mayHold(id)));
  let wrong = 0;
  for (let i = 0; i < 20_000; i++) {
    const id = crypto.getRandomValues(new Uint8Array(16));
    if (filter.mayHold(id)) wrong++;
  }
  assertLess(wrong, 400);
});
