import { DatabaseSync } from "node:sqlite";
import {
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertThrows,
} from "@std/assert";
import { decodeHex } from "../../src/core/bytes/mod.ts";
import { storageError } from "../../src/core/storage/sqlite.ts";
import {
  sqliteStore,
  StorageError,
  type StorageErrorCode,
} from "../../src/core/storage/mod.ts";
import { testStore } from "../compliance/store.ts";

const DIR = Deno.makeTempDirSync();
globalThis.addEventListener(
  "unload",
  () => Deno.removeSync(DIR, { recursive: true }),
);
const MIB = 1_048_576;
const ONE = new Uint8Array([1]);
const TWO = new Uint8Array([2]);
/** Of a store's files. */
const SUFFIXES = ["", "-wal", "-shm"];

testStore("sqliteStore()", (limits) => sqliteStore(freshPath(), limits));

Deno.test("sqliteStore() asks SQLite for the synchronous mode it is given", () => {
  const executed: string[] = [];
  const { exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function (sql) {
    executed.push(sql);
    return exec.call(this, sql);
  };
  try {
    sqliteStore(freshPath())[Symbol.dispose]();
    sqliteStore(freshPath(), { synchronous: "full" })[Symbol.dispose]();
  } finally {
    DatabaseSync.prototype.exec = exec;
  }
  assertEquals(executed.filter((sql) => /synchronous/.test(sql)), [
    "PRAGMA synchronous = NORMAL",
    "PRAGMA synchronous = FULL",
  ]);
});

Deno.test("sqliteStore() keeps a transaction in memory as far as cacheBytes go", () => {
  const spilled = [1, 16].map((mib) => {
    const path = freshPath();
    using store = sqliteStore(path, { cacheBytes: mib * MIB });
    return store.transaction(() => {
      for (const n of [1, 2, 3, 4]) {
        store.set(new Uint8Array([n]), new Uint8Array(MIB));
      }
      return Deno.statSync(`${path}-wal`).size > 3 * MIB;
    });
  });
  assertEquals(spilled, [true, false]);
});

Deno.test("sqliteStore() writes back when its log is larger than logBytes", () => {
  const logSizes = [1, 8].map((mib) => {
    const path = freshPath();
    using store = sqliteStore(path, { logBytes: mib * MIB });
    for (let i = 0; i < 6; i++) store.set(ONE, new Uint8Array(MIB).fill(i));
    return Math.round(Deno.statSync(`${path}-wal`).size / MIB);
  });
  assertGreater(logSizes[1]!, 5);
  assertGreater(4, logSizes[0]!);
});

Deno.test("sqliteStore() finds its entries and totals again", () => {
  const path = freshPath();
  {
    using store = sqliteStore(path);
    store.set(ONE, TWO, { expiresAt: 7 });
  }
  using store = sqliteStore(path, { synchronous: "full" });
  assertEquals([...store.entries()], [{ key: ONE, value: TWO, expiresAt: 7 }]);
  assertEquals(store.usage(), { entries: 1, bytes: 2 });
});

Deno.test("sqliteStore() goes on with a file whose entries are ordered by key, as files were made before", () => {
  const path = freshPath();
  sqliteStore(path)[Symbol.dispose]();
  withDatabase(path, (db) => {
    const { sql } = db.prepare(
      "SELECT sql FROM sqlite_schema WHERE name = 'entries'",
    ).get() as { sql: string };
    const others = db.prepare(
      "SELECT sql FROM sqlite_schema WHERE tbl_name = 'entries' AND sql IS NOT NULL AND name <> 'entries'",
    ).all() as { sql: string }[];
    assertEquals(others.length, 4);
    const older = [`${sql}, WITHOUT ROWID`, ...others.map(({ sql }) => sql)];
    db.exec(`DROP TABLE entries; ${older.join(";")}`);
  });
  using store = sqliteStore(path, { maxEntries: 2 });
  const long = new Uint8Array(5_000).fill(1);
  store.set(TWO, long, { expiresAt: 7 });
  store.set(ONE, TWO);
  store.set(ONE, ONE);
  assertCode("full", () => store.set(new Uint8Array(3), ONE));
  assertEquals([...store.entries()], [
    { key: ONE, value: ONE },
    { key: TWO, value: long, expiresAt: 7 },
  ]);
  assertEquals(store.usage(), { entries: 2, bytes: 5_003 });
  assertEquals([store.delete(ONE), store.sweep(7)], [true, 1]);
  assertEquals(store.usage(), { entries: 0, bytes: 0 });
});

Deno.test("sqliteStore() leaves nothing in its file of what was deleted or replaced", () => {
  const path = freshPath();
  const [secret, other] = ["a key of an epoch", "another key"]
    .map((text) => new TextEncoder().encode(text));
  const inFile = () => {
    const text = new TextDecoder("latin1").decode(Deno.readFileSync(path));
    return [text.includes("a key of an epoch"), text.includes("another key")];
  };
  {
    using store = sqliteStore(path);
    store.set(ONE, secret!);
    store.set(TWO, other!);
  }
  assertEquals(inFile(), [true, true]);
  {
    using store = sqliteStore(path);
    store.delete(ONE);
    store.set(TWO, new Uint8Array(other!.length));
  }
  assertEquals(inFile(), [false, false]);
});

Deno.test("sqliteStore() keeps what a lowered limit no longer admits", () => {
  const path = freshPath();
  {
    using store = sqliteStore(path);
    store.set(ONE, ONE);
    store.set(TWO, TWO);
  }
  using store = sqliteStore(path, { maxEntries: 1 });
  assertEquals(store.usage().entries, 2);
  store.set(ONE, TWO);
  assertCode("full", () => store.set(new Uint8Array(3), ONE));
});

Deno.test("sqliteStore() shares a file and its limits between owners", () => {
  const path = freshPath();
  using a = sqliteStore(path, { maxEntries: 2, busyTimeoutMs: 1 });
  using b = sqliteStore(path, { maxEntries: 2, busyTimeoutMs: 1 });
  a.set(ONE, ONE);
  b.set(TWO, TWO);
  assertEquals(a.get(TWO), TWO);
  assertCode("full", () => a.set(new Uint8Array(3), ONE));
  a.transaction(() => {
    a.delete(ONE);
    assertCode("io", () => b.set(ONE, TWO));
    assertCode("io", () => b.transaction(() => {}));
    assertEquals(b.get(ONE), ONE);
  });
  assertEquals(b.get(ONE), undefined);
});

Deno.test("sqliteStore() waits busyTimeoutMs for another owner", () => {
  const path = freshPath();
  using a = sqliteStore(path);
  using b = sqliteStore(path, { busyTimeoutMs: 50 });
  a.transaction(() => {
    const start = performance.now();
    assertCode("io", () => b.set(ONE, TWO));
    assertGreaterOrEqual(performance.now() - start, 40);
  });
});

Deno.test("sqliteStore() lets nobody else read its files", () => {
  const path = freshPath();
  Deno.writeFileSync(path, new Uint8Array(), { mode: 0o644 });
  using store = sqliteStore(path);
  store.set(ONE, TWO);
  assertEquals(modes(path), [0o600, 0o600, 0o600]);
});

Deno.test("sqliteStore() takes a store of ours from everybody else, in use or not", () => {
  const path = freshPath();
  using before = sqliteStore(path);
  before.set(ONE, TWO);
  for (const suffix of SUFFIXES) Deno.chmodSync(path + suffix, 0o644);
  using _ = sqliteStore(path);
  assertEquals(modes(path), [0o600, 0o600, 0o600]);
});

Deno.test("sqliteStore() refuses files that are not its own", () => {
  const text = freshPath();
  Deno.writeTextFileSync(text, "Not a database. ".repeat(100));
  Deno.chmodSync(text, 0o644);
  assertCode("corrupt", () => sqliteStore(text));
  assertEquals(Deno.statSync(text).mode! & 0o777, 0o644);

  const foreign = freshPath();
  withDatabase(foreign, (db) => db.exec("CREATE TABLE cats (name TEXT)"));
  const before = Deno.readFileSync(foreign);
  Deno.chmodSync(foreign, 0o644);
  assertCode("corrupt", () => sqliteStore(foreign));
  assertEquals(Deno.readFileSync(foreign), before);
  assertEquals(Deno.statSync(foreign).mode! & 0o777, 0o644);

  const newer = freshPath();
  sqliteStore(newer)[Symbol.dispose]();
  withDatabase(newer, (db) => db.exec("PRAGMA user_version = 2"));
  assertCode("corrupt", () => sqliteStore(newer));

  for (
    const [path, code] of [[`${DIR}/no/store.db`, "absent"], [
      DIR,
      "io",
    ]] as const
  ) {
    const error = assertThrows(() => sqliteStore(path), StorageError);
    assertEquals([error.code, error.message], [code, `Cannot open "${path}"`]);
  }
});

Deno.test("sqliteStore() throws corrupt where the file is damaged", () => {
  const path = freshPath();
  {
    using store = sqliteStore(path);
    store.transaction(() => {
      for (let i = 0; i < 200; i++) {
        store.set(decodeHex(i.toString(16).padStart(4, "0")), ONE);
      }
    });
  }
  {
    using file = Deno.openSync(path, { write: true, read: true });
    const { size } = file.statSync();
    file.seekSync(4096, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(size - 4096).fill(0x5a));
  }
  assertCode("corrupt", () => {
    using store = sqliteStore(path);
    return [...store.entries()];
  });
});

Deno.test("storageError() calls a database that cannot grow full", () => {
  withDatabase(freshPath(), (db) => {
    db.exec("CREATE TABLE t (v BLOB); PRAGMA max_page_count = 3");
    const insert = db.prepare("INSERT INTO t VALUES (zeroblob(100000))");
    const cause = assertThrows(() => insert.run());
    const error = storageError(cause);
    assertEquals(error.code, "full");
    assertEquals(error.cause, cause);
  });
});

Deno.test("sqliteStore() keeps acknowledged changes through SIGKILL", async () => {
  const path = freshPath();
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.resolve("./_writer.ts"), path],
    stdout: "piped",
  }).spawn();
  let text = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (text.length <= 1_000 && text.length + part.length > 1_000) {
      child.kill("SIGKILL");
    }
    text += part;
  }
  const last = Number(text.split("\n").at(-2));
  assertGreater(last, 100);
  assertEquals((await child.status).signal, "SIGKILL");

  using store = sqliteStore(path);
  const kept = [...store.entries()];
  assertGreaterOrEqual(kept.length, last + 1);
  kept.forEach(({ key, value }, i) => {
    assertEquals(new DataView(key.buffer).getUint32(0), i);
    assertEquals(value, key);
  });
  assertEquals(store.usage(), { entries: kept.length, bytes: kept.length * 8 });
});

let paths = 0;
function modes(path: string): number[] {
  return SUFFIXES.map((each) => Deno.statSync(path + each).mode! & 0o777);
}

function freshPath(): string {
  return `${DIR}/${paths++}.db`;
}

function withDatabase(path: string, fn: (db: DatabaseSync) => void) {
  const db = new DatabaseSync(path);
  try {
    fn(db);
  } finally {
    db.close();
  }
}

function assertCode(code: StorageErrorCode, fn: () => unknown) {
  assertEquals(assertThrows(fn, StorageError).code, code);
}
