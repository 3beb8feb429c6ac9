/**
 * Where state outlives the process: an ordered {@link Store} of bytes, in memory or in SQLite; text files and secret files.
 *
 * @module
 */
export { StorageError, type StorageErrorCode } from "./error.ts";
export { type FileTreeLimits, readFileTree } from "./file_tree.ts";
export {
  MAX_TEXT_FILE_BYTES,
  readSecretFile,
  type ReadSecretOptions,
  readTextFile,
  writeSecretFile,
} from "./files.ts";
export { GroupCommit } from "./group_commit.ts";
export { memoryStore } from "./memory.ts";
export { sqliteStore, type SqliteStoreOptions } from "./sqlite.ts";
export {
  MAX_KEY_BYTES,
  namespace,
  type SetOptions,
  type Store,
  STORE_LIMITS,
  type StoreEntry,
  type StoreLimits,
  type StoreUsage,
} from "./store.ts";
