/**
 * The tables of a store file.
 *
 * Triggers keep the totals and enforce the limits, so that they hold for every process that writes, inside transactions and after a crash.
 *
 * The entries are numbered rows with an index of keys: a table ordered by key (`WITHOUT ROWID`, as files made before have it; it reads
 * and writes the same) keeps a quarter of a page of a row at most, and puts what is longer, as most messages are, into pages of their own.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { StorageError } from "./error.ts";
import type { StoreLimits } from "./store.ts";

/** Marks our files among SQLite's: "BtSt". */
const APPLICATION_ID = 0x42745374;
const VERSION = 1;

const SCHEMA = `
CREATE TABLE entries (
  key BLOB NOT NULL PRIMARY KEY,
  value BLOB NOT NULL,
  expires_at INTEGER
) STRICT;
CREATE INDEX entries_by_expiry ON entries (expires_at)
  WHERE expires_at IS NOT NULL;

CREATE TABLE totals (
  entries INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  max_entries INTEGER NOT NULL,
  max_bytes INTEGER NOT NULL
) STRICT;
INSERT INTO totals (rowid, entries, bytes, max_entries, max_bytes)
  VALUES (1, 0, 0, 0, 0);

CREATE TRIGGER entry_added AFTER INSERT ON entries BEGIN
  UPDATE totals SET
    entries = entries + 1,
    bytes = bytes + length(new.key) + length(new.value) WHERE rowid = 1;
  SELECT raise(ABORT, 'limit') FROM totals
    WHERE rowid = 1 AND (entries > max_entries OR bytes > max_bytes);
END;
CREATE TRIGGER entry_changed AFTER UPDATE ON entries BEGIN
  UPDATE totals SET bytes = bytes + length(new.value) - length(old.value)
    WHERE rowid = 1;
  SELECT raise(ABORT, 'limit') FROM totals WHERE rowid = 1
    AND bytes > max_bytes AND length(new.value) > length(old.value);
END;
CREATE TRIGGER entry_removed AFTER DELETE ON entries BEGIN
  UPDATE totals SET
    entries = entries - 1,
    bytes = bytes - length(old.key) - length(old.value) WHERE rowid = 1;
END;

PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${VERSION};
`;

/**
 * Makes sure that `db` is a store with `limits`, creating the tables in an empty file.
 *
 * @throws {StorageError} `corrupt` if it is something else or of another version.
 */
export function openSchema(
  db: DatabaseSync,
  limits: Required<StoreLimits>,
): void {
  db.exec("BEGIN IMMEDIATE");
  const { tables } = row(db, "SELECT count(*) AS tables FROM sqlite_schema");
  if (tables === 0) db.exec(SCHEMA);
  const { application_id: id } = row(db, "PRAGMA application_id");
  const { user_version: version } = row(db, "PRAGMA user_version");
  if (id !== APPLICATION_ID) {
    throw new StorageError("corrupt", "File is not a store");
  }
  if (version !== VERSION) {
    throw new StorageError(
      "corrupt",
      `Store must have version ${VERSION}, got ${version}`,
    );
  }
  db.prepare("UPDATE totals SET max_entries = ?, max_bytes = ?")
    .run(limits.maxEntries, limits.maxBytes);
  db.exec("COMMIT; PRAGMA journal_mode = WAL");
}

function row(db: DatabaseSync, sql: string): Record<string, unknown> {
  return db.prepare(sql).get() ?? {};
}
