import type NodeSqlite from "node:sqlite";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type Bytes, concat } from "../bytes/mod.ts";
import { StorageError, type StorageErrorCode } from "./error.ts";
import { withFile } from "./files.ts";
import { openSchema } from "./_sqlite_schema.ts";
import {
  checkExpiry,
  checkKey,
  checkLimits,
  checkResult,
  MAX_KEY_BYTES,
  type SetOptions,
  type Store,
  type StoreEntry,
  type StoreLimits,
  type StoreUsage,
} from "./store.ts";

/** As SQLite has them where it is told nothing. */
const CACHE_BYTES = 2_000 * 1_024;
const PAGE_BYTES = 4_096;
const LOG_BYTES = 1_000 * PAGE_BYTES;

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions extends StoreLimits {
  /**
   * What a change outlives once the call has returned: with `normal`, the default, the death of the process; with `full` also that of the machine, for one `fsync` a change.
   * After a power cut a `normal` store is whole but may lack its last changes.
   */
  readonly synchronous?: "normal" | "full";
  /** Pages kept in memory, those of the running transaction among them, in bytes; 2,000 KiB by default. */
  readonly cacheBytes?: number;
  /**
   * How large the log beside the file grows, in bytes, before it is written back into the file; 4,000 KiB by default. What comes and goes
   * meanwhile is never written back.
   */
  readonly logBytes?: number;
  /** How long a call waits, blocking, for another process that writes; 1,000 ms by default. */
  readonly busyTimeoutMs?: number;
}

/**
 * Opens or creates a store in the SQLite file at `path`, readable by its owner only, in WAL mode.
 *
 * What is deleted is overwritten with zeros where its page is written anyway; the log beside the file may hold it until it is used again.
 *
 * Several processes may share the file; the limits of the last to open it hold for all.
 *
 * @throws {StorageError} `corrupt` if the file is not a store of this version, which leaves it as it was; `absent` if the folder does not exist, `io` if the file cannot be opened or is locked.
 * @throws {RangeError} If a limit is not a whole number.
 */
export function sqliteStore(
  path: string,
  {
    synchronous = "normal",
    busyTimeoutMs = 1_000,
    cacheBytes = CACHE_BYTES,
    logBytes = LOG_BYTES,
    ...limits
  }: SqliteStoreOptions = {},
): Store {
  const checked = checkLimits(limits);
  let db: DatabaseSync | undefined;
  try {
    withFile(path, "open", () => create(path));
    db = new (nodeSqlite().DatabaseSync)(path, { timeout: busyTimeoutMs });
    openSchema(db, checked);
    makePrivate(path);
    db.exec(
      `PRAGMA synchronous = ${synchronous === "full" ? "FULL" : "NORMAL"}`,
    );
    db.exec("PRAGMA secure_delete = FAST");
    db.exec(`PRAGMA cache_size = ${-Math.ceil(cacheBytes / 1_024)}`);
    db.exec(`PRAGMA wal_autocheckpoint = ${Math.ceil(logBytes / PAGE_BYTES)}`);
    return new SqliteStore(db);
  } catch (error) {
    db?.close();
    throw error instanceof StorageError ? error : storageError(error);
  }
}

/**
 * The module `node:sqlite`, looked up when it is needed, so that a browser can load this unit.
 *
 * @throws {StorageError} `io` where there is none.
 */
function nodeSqlite(): typeof NodeSqlite {
  const { process } = globalThis as {
    process?: { getBuiltinModule?(id: "node:sqlite"): typeof NodeSqlite };
  };
  const found = process?.getBuiltinModule?.("node:sqlite");
  if (!found) throw new StorageError("io", "This system has no SQLite");
  return found;
}

/** The {@link StorageError} of what SQLite or the system threw. */
export function storageError(cause: unknown): StorageError {
  const { errcode = 0, code, message } = cause as {
    errcode?: number;
    code?: string;
    message?: string;
  };
  const [kind, text] = code === "ENOSPC"
    ? FAILURES[SQLITE_FULL]!
    : FAILURES[errcode] ?? FAILURES[errcode & 0xff] ??
      (message === "file is not a database"
        ? FAILURES[SQLITE_NOTADB]!
        : ["io", "Store failed"] as const);
  return new StorageError(kind, text, { cause });
}

const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;
/** By SQLite's primary or extended result code. */
const FAILURES: Readonly<
  Record<number, readonly [StorageErrorCode, string]>
> = {
  5: ["io", "Store is locked by another process"], // SQLITE_BUSY
  11: ["corrupt", "Store file is damaged"], // SQLITE_CORRUPT
  [SQLITE_FULL]: ["full", "Disk is full"],
  [SQLITE_NOTADB]: ["corrupt", "File is not a store"],
  1811: ["full", "Store is at its limit"], // SQLITE_CONSTRAINT_TRIGGER
  4874: ["full", "Disk is full"], // SQLITE_IOERR_SHMSIZE
};

class SqliteStore implements Store {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  #closed = false;
  #inTransaction = false;
  /** Grows whenever a page of entries that was read before may be out of date. */
  #changes = 0;
  /** What made SQLite undo the running transaction by itself, such as a full disk. */
  #broken: StorageError | undefined;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#statements = {
      get: db.prepare(SQL.get),
      set: db.prepare(SQL.set),
      delete: db.prepare(SQL.delete),
      page: db.prepare(SQL.page),
      sweep: db.prepare(SQL.sweep),
      usage: db.prepare(SQL.usage),
      begin: db.prepare(SQL.begin),
      commit: db.prepare(SQL.commit),
      rollback: db.prepare(SQL.rollback),
    };
  }

  get(key: Uint8Array): Bytes | undefined {
    checkKey(key);
    return this.#do(({ get }) => get.get(key)?.["value"] as Bytes | undefined);
  }

  set(key: Uint8Array, value: Uint8Array, { expiresAt }: SetOptions = {}) {
    checkKey(key);
    checkExpiry(expiresAt);
    this.#changes++;
    this.#do(({ set }) => set.run(key, value, expiresAt ?? null));
  }

  delete(key: Uint8Array): boolean {
    checkKey(key);
    this.#changes++;
    return this.#do((sql) => sql.delete.run(key).changes === 1);
  }

  *entries(prefix: Uint8Array = new Uint8Array(), rest?: Uint8Array) {
    const end = endOf(prefix);
    let from = rest ? concat(prefix, rest) : prefix;
    let maxRows = MIN_PAGE_ROWS;
    for (;;) {
      const page = this.#do(({ page }) =>
        takePage(page.iterate(from, end), maxRows)
      );
      const last = page.at(-1);
      if (!last) return;
      const changes = this.#changes;
      maxRows = Math.min(2 * maxRows, MAX_PAGE_ROWS);
      from = after(last.key);
      for (const { key, value, expires_at: expiresAt } of page) {
        const found: StoreEntry = { key, value };
        yield expiresAt === null ? found : { ...found, expiresAt };
        if (changes === this.#changes) continue;
        // The caller changes the store on its way: what is read ahead is read in vain.
        maxRows = MIN_PAGE_ROWS;
        from = after(key);
        break;
      }
    }
  }

  transaction<T>(fn: () => T): T {
    if (this.#inTransaction) {
      throw new TypeError("Transactions cannot be nested");
    }
    this.#do(({ begin }) => begin.run());
    this.#inTransaction = true;
    try {
      const result = fn();
      checkResult(result);
      this.#do(({ commit }) => commit.run());
      return result;
    } catch (error) {
      if (!this.#closed && this.#db.isTransaction) {
        this.#changes++;
        this.#statements.rollback.run();
      }
      throw error;
    } finally {
      this.#inTransaction = false;
      this.#broken = undefined;
    }
  }

  sweep(now: number): number {
    this.#changes++;
    return this.#do(({ sweep }) => Number(sweep.run(now).changes));
  }

  usage(): StoreUsage {
    const row = this.#do(({ usage }) => usage.get()) as unknown as StoreUsage;
    return { entries: row.entries, bytes: row.bytes };
  }

  [Symbol.dispose]() {
    if (this.#closed) return;
    this.#closed = true;
    this.#changes++;
    this.#db.close();
  }

  #do<T>(run: (statements: Statements) => T): T {
    if (this.#closed) throw new StorageError("closed", "Store is closed");
    if (this.#broken) throw this.#broken;
    try {
      return run(this.#statements);
    } catch (cause) {
      const error = storageError(cause);
      if (this.#inTransaction && !this.#db.isTransaction) this.#broken = error;
      throw error;
    }
  }
}

interface Row {
  readonly key: Bytes;
  readonly value: Bytes;
  readonly expires_at: number | null;
}

const SQL = {
  get: "SELECT value FROM entries WHERE key = ?",
  set: `INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT (key)
    DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`,
  delete: "DELETE FROM entries WHERE key = ?",
  page: "SELECT * FROM entries WHERE key >= ? AND key < ? ORDER BY key",
  sweep: "DELETE FROM entries WHERE expires_at <= ?",
  usage: "SELECT entries, bytes FROM totals",
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
} as const;

type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

const MIN_PAGE_ROWS = 8;
const MAX_PAGE_ROWS = 256;
const MAX_PAGE_BYTES = 256 * 1024;

/** The next rows, one at least if there is one, until they are many or large. */
function takePage(rows: Iterable<unknown>, maxRows: number): Row[] {
  const page: Row[] = [];
  let bytes = 0;
  for (const row of rows as Iterable<Row>) {
    page.push(row);
    bytes += row.key.length + row.value.length;
    if (page.length >= maxRows || bytes >= MAX_PAGE_BYTES) break;
  }
  return page;
}

/** The least key after `key`. */
function after(key: Uint8Array): Bytes {
  return concat(key, new Uint8Array(1));
}

/** Greater than every key that starts with `prefix`, and at most the first that does not. */
function endOf(prefix: Uint8Array): Bytes {
  const at = prefix.findLastIndex((byte) => byte < 0xff);
  if (at < 0) return new Uint8Array(MAX_KEY_BYTES + 1).fill(0xff);
  const end = new Uint8Array(prefix.subarray(0, at + 1));
  end[at]!++;
  return end;
}

/** Creates a file that nobody but its owner may read, unless there is one; SQLite gives the files beside it the same mode. */
function create(path: string) {
  Deno.openSync(path, { create: true, write: true, mode: 0o600 }).close();
}

/** Takes a store, and what SQLite has put beside it, from everybody but its owner. */
function makePrivate(path: string) {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    try {
      const { mode } = Deno.lstatSync(file);
      if (mode !== null && (mode & 0o077) !== 0) Deno.chmodSync(file, 0o600);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
