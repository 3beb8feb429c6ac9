/**
 * What every {@link Store} must do.
 *
 * @module
 */
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { utf8 } from "../../src/core/bytes/mod.ts";
import {
  MAX_KEY_BYTES,
  namespace,
  StorageError,
  type Store,
  type StoreLimits,
} from "../../src/core/storage/mod.ts";

/** Registers the suite; `open` gives a fresh, empty store each time. */
export function testStore(
  name: string,
  open: (limits?: StoreLimits) => Store,
): void {
  const test = (does: string, fn: (store: Store) => void, limits = {}) =>
    Deno.test(`${name} ${does}`, () => {
      using store = open(limits);
      fn(store);
    });

  testEntries(test);
  testTransactions(test);
  testLimits(test);

  Deno.test(`${name} throws closed after disposal`, () => {
    const store = open();
    store.set(key(1), key(2));
    store.set(key(2), key(2));
    const entries = store.entries();
    entries.next();
    store[Symbol.dispose]();
    store[Symbol.dispose]();
    for (
      const use of [
        () => store.get(key(1)),
        () => store.set(key(1), key(1)),
        () => store.delete(key(1)),
        () => entries.next(),
        () => store.transaction(() => {}),
        () => store.sweep(0),
        () => store.usage(),
      ]
    ) assertCode("closed", use);
  });
}

type Test = (
  does: string,
  fn: (store: Store) => void,
  limits?: StoreLimits,
) => void;

function testEntries(test: Test) {
  test("gives back what was set", (store) => {
    assertEquals(store.get(key(1)), undefined);
    store.set(key(1), utf8("one"));
    store.set(key(2), new Uint8Array());
    assertEquals(store.get(key(1)), utf8("one"));
    assertEquals(store.get(key(2)), new Uint8Array());
    store.set(key(1), utf8("uno"));
    assertEquals(store.get(key(1)), utf8("uno"));
    assertEquals(store.usage(), { entries: 2, bytes: 1 + 3 + 1 });
  });

  test("copies bytes in and out", (store) => {
    const [k, v] = [key(1), key(7)];
    store.set(k, v);
    k[0] = v[0] = 9;
    store.get(key(1))![0] = 9;
    for (const entry of store.entries()) entry.key[0] = entry.value[0] = 9;
    assertEquals([...store.entries()], [{ key: key(1), value: key(7) }]);
  });

  test("deletes", (store) => {
    store.set(key(1), key(1));
    assert(store.delete(key(1)));
    assertFalse(store.delete(key(1)));
    assertEquals(store.get(key(1)), undefined);
    assertEquals(store.usage(), { entries: 0, bytes: 0 });
  });

  test("iterates a prefix in the order of the bytes", (store) => {
    const keys = ["b", "a", "ab", "a\0", "a\xff", "\xff", "\xff\xff", "\0"];
    for (const k of keys) store.set(latin1(k), latin1(k));
    const found = (prefix: string) =>
      [...store.entries(latin1(prefix))].map((entry) =>
        String.fromCharCode(...entry.key)
      );
    assertEquals(found(""), [...keys].sort());
    assertEquals(found("a"), ["a", "a\0", "ab", "a\xff"]);
    assertEquals(found("\xff"), ["\xff", "\xff\xff"]);
    assertEquals(found("a\xff"), ["a\xff"]);
    assertEquals(found("c"), []);
  });

  test("iterates a prefix from a key on", (store) => {
    const keys = ["a", "ab", "ac\0", "ad", "b", "bb"];
    for (const k of keys) store.set(latin1(k), latin1(k));
    const found = (prefix: string, rest: string) =>
      [...store.entries(latin1(prefix), latin1(rest))].map((entry) =>
        String.fromCharCode(...entry.key)
      );
    assertEquals(found("a", ""), ["a", "ab", "ac\0", "ad"]);
    assertEquals(found("a", "c"), ["ac\0", "ad"]);
    assertEquals(found("a", "d"), ["ad"]);
    assertEquals(found("a", "dd"), []);
    assertEquals(found("", "ad"), ["ad", "b", "bb"]);
    const inside = namespace(store, "a");
    inside.set(latin1("kz"), key(1));
    inside.set(latin1("kb"), key(2));
    assertEquals(
      [...inside.entries(latin1("k"), latin1("c"))],
      [{ key: latin1("kz"), value: key(1) }],
    );
  });

  test("may be changed while it is iterated", (store) => {
    for (let i = 0; i < 10; i++) store.set(key(i), key(i));
    const seen: number[] = [];
    for (const entry of store.entries()) {
      seen.push(entry.key[0]!);
      store.delete(key(entry.key[0]! + 1));
      store.set(entry.key, key(99));
    }
    assertEquals(seen, [0, 2, 4, 6, 8]);
  });

  test("iterates many and large entries", (store) => {
    const numbered = (i: number) => new Uint8Array([i >> 8, i & 0xff]);
    store.transaction(() => {
      for (let i = 0; i < 1_000; i++) {
        store.set(numbered(i), new Uint8Array(i % 100 === 0 ? 100_000 : 1));
      }
    });
    let i = 0;
    for (const { key, value } of store.entries()) {
      assertEquals(key, numbered(i));
      assertEquals(value.length, i % 100 === 0 ? 100_000 : 1);
      i++;
      if (i === 10) store.delete(numbered(999));
    }
    assertEquals(i, 999);
    for (const { key } of store.entries()) {
      store.delete(key);
      break;
    }
    assertEquals(store.entries().next().value?.key, numbered(1));
  });

  test("sweeps what has expired and nothing else", (store) => {
    store.set(key(1), key(1), { expiresAt: 1_000 });
    store.set(key(2), key(2), { expiresAt: 1_001 });
    store.set(key(3), key(3));
    store.set(key(4), key(4), { expiresAt: 1 });
    store.set(key(4), key(4), { expiresAt: 5_000_000_000_000 });
    store.set(key(5), key(5), { expiresAt: 1 });
    store.set(key(5), key(5));
    assertEquals(store.sweep(999.5), 0);
    assertEquals(store.get(key(1)), key(1));
    assertEquals(store.sweep(1_000), 1);
    assertEquals([...store.entries()], [
      { key: key(2), value: key(2), expiresAt: 1_001 },
      { key: key(3), value: key(3) },
      { key: key(4), value: key(4), expiresAt: 5_000_000_000_000 },
      { key: key(5), value: key(5) },
    ]);
    assertEquals(store.usage(), { entries: 4, bytes: 8 });
  });

  test("refuses keys and expiries out of range", (store) => {
    const longest = new Uint8Array(MAX_KEY_BYTES);
    store.set(longest, key(1));
    assertEquals(store.get(longest), key(1));
    for (const bad of [new Uint8Array(), new Uint8Array(MAX_KEY_BYTES + 1)]) {
      assertThrows(() => store.get(bad), RangeError);
      assertThrows(() => store.set(bad, key(1)), RangeError);
      assertThrows(() => store.delete(bad), RangeError);
    }
    for (const expiresAt of [NaN, Infinity, 0.5, 2 ** 53]) {
      assertThrows(() => store.set(key(1), key(1), { expiresAt }), RangeError);
    }
  });

  test("keeps namespaces apart", (store) => {
    using a = namespace(store, "a");
    using ab = namespace(store, "ab");
    using inner = namespace(a, "b");
    a.set(key(1), utf8("a"));
    ab.set(key(1), utf8("ab"));
    inner.set(key(1), utf8("inner"), { expiresAt: 1 });
    assertEquals(a.get(key(1)), utf8("a"));
    assertEquals([...ab.entries()], [{ key: key(1), value: utf8("ab") }]);
    assertEquals([...inner.entries(key(1))], [
      { key: key(1), value: utf8("inner"), expiresAt: 1 },
    ]);
    assert(ab.delete(key(1)));
    assertEquals(store.usage().entries, 2);
    assertEquals(a.sweep(1), 1);
    for (const bad of ["", "A", "a/b", "a\0", "a".repeat(65)]) {
      assertThrows(() => namespace(store, bad), TypeError);
    }
    assertThrows(() => a.set(new Uint8Array(), key(1)), RangeError);
    const longest = new Uint8Array(MAX_KEY_BYTES - 1);
    assertThrows(() => a.set(longest, key(1)), RangeError);
  });
}

function testTransactions(test: Test) {
  test("commits a transaction and gives its result", (store) => {
    const result = store.transaction(() => {
      store.set(key(1), key(1));
      store.set(key(2), key(2));
      return store.get(key(1));
    });
    assertEquals(result, key(1));
    assertEquals(store.usage().entries, 2);
  });

  test("undoes every change of a transaction that throws", (store) => {
    for (const i of [1, 2, 3]) store.set(key(i), key(i), { expiresAt: i });
    const before = [...store.entries()];
    const reason = new Error("Changed my mind");
    const thrown = assertThrows(() =>
      store.transaction(() => {
        store.set(key(1), utf8("longer"));
        store.set(key(1), utf8("longer still"));
        store.delete(key(2));
        store.set(key(4), key(4));
        assertEquals(store.sweep(3), 1);
        throw reason;
      })
    );
    assertEquals(thrown, reason);
    assertEquals([...store.entries()], before);
    assertEquals(store.usage(), { entries: 3, bytes: 6 });
    store.transaction(() => store.delete(key(1)));
    assertEquals(store.usage().entries, 2);
  });

  test("refuses nested and asynchronous transactions", (store) => {
    assertThrows(
      () => store.transaction(() => store.transaction(() => {})),
      TypeError,
    );
    assertThrows(
      () => store.transaction(() => Promise.resolve()),
      TypeError,
    );
    assertThrows(() =>
      store.transaction(() => {
        store.set(key(1), key(1));
        return Promise.resolve();
      }), TypeError);
    assertEquals(store.get(key(1)), undefined);
  });
}

function testLimits(test: Test) {
  test("throws full at maxEntries and loses nothing", (store) => {
    store.set(key(1), key(1));
    store.set(key(2), key(2), { expiresAt: 1 });
    assertCode("full", () => store.set(key(3), key(3)));
    store.set(key(1), utf8("longer"));
    assertEquals(store.get(key(2)), key(2));
    assertEquals(store.get(key(3)), undefined);
    store.sweep(1);
    store.set(key(3), key(3));
    assertEquals(store.usage(), { entries: 2, bytes: 9 });
  }, { maxEntries: 2 });

  test("throws full at maxBytes and loses nothing", (store) => {
    store.set(key(1), new Uint8Array(5));
    store.set(key(2), new Uint8Array(3));
    assertCode("full", () => store.set(key(3), new Uint8Array()));
    assertCode("full", () => store.set(key(2), new Uint8Array(4)));
    assertEquals(store.get(key(2)), new Uint8Array(3));
    store.set(key(1), new Uint8Array(4));
    store.set(key(2), new Uint8Array(4));
    assertEquals(store.usage(), { entries: 2, bytes: 10 });
  }, { maxBytes: 10 });

  test("goes on with a transaction that has met a limit", (store) => {
    store.transaction(() => {
      store.set(key(1), key(1));
      assertCode("full", () => store.set(key(2), key(2)));
      store.set(key(1), key(9));
    });
    assertEquals([...store.entries()], [{ key: key(1), value: key(9) }]);
  }, { maxEntries: 1 });
}

function assertCode(code: string, fn: () => unknown) {
  assertEquals(assertThrows(fn, StorageError).code, code);
}

function key(byte: number): Uint8Array {
  return new Uint8Array([byte]);
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}
