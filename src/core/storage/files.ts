import { StorageError } from "./error.ts";

/** Largest file in bytes that {@link readTextFile} and {@link readSecretFile} take. */
export const MAX_TEXT_FILE_BYTES = 1024 * 1024;

/** Options of {@link readSecretFile}. */
export interface ReadSecretOptions {
  /** Also takes a file that other users of the machine can read; not by default. */
  readonly allowExposed?: boolean;
}

/**
 * The UTF-8 text of the file at `path`.
 *
 * @throws {StorageError} `absent` if there is none, `corrupt` if it is not UTF-8 or above {@link MAX_TEXT_FILE_BYTES}, `io` if it cannot be read.
 */
export function readTextFile(path: string): string {
  return withFile(path, "read", () => {
    using file = Deno.openSync(path);
    return readAll(file, path);
  });
}

/**
 * The UTF-8 text of the file at `path`, which only its owner may access (where the system has such modes).
 *
 * @throws {StorageError} `exposed` if its mode grants anything to group or others, else as {@link readTextFile}.
 */
export function readSecretFile(
  path: string,
  { allowExposed = false }: ReadSecretOptions = {},
): string {
  return withFile(path, "read", () => {
    using file = Deno.openSync(path);
    const mode = (file.statSync().mode ?? 0) & 0o777;
    if (!allowExposed && (mode & 0o077) !== 0) {
      throw new StorageError(
        "exposed",
        `Secret file "${path}" must have mode 600, got ${mode.toString(8)}`,
      );
    }
    return readAll(file, path);
  });
}

/**
 * Makes the file at `path` hold `text`, for its owner only (mode 600).
 *
 * It is written beside, synced and renamed: at any moment, a power cut included, `path` has its old or its new content, whole.
 *
 * @throws {StorageError} `full` if the disk is, `absent` if the folder does not exist, `io` if it cannot be written.
 */
export function writeSecretFile(path: string, text: string): void {
  const dir = path.match(/^(.*[/\\])[^/\\]*$/)?.[1] ?? "./";
  withFile(path, "write", () => {
    const temporary = Deno.makeTempFileSync({ dir, suffix: ".tmp" });
    try {
      Deno.chmodSync(temporary, 0o600);
      Deno.writeTextFileSync(temporary, text);
      sync(temporary);
      Deno.renameSync(temporary, path);
    } catch (error) {
      Deno.removeSync(temporary);
      throw error;
    }
    if (Deno.build.os !== "windows") sync(dir);
  });
}

function readAll(file: Deno.FsFile, path: string): string {
  const { size, isFile } = file.statSync();
  if (!isFile || size > MAX_TEXT_FILE_BYTES) {
    throw new StorageError(
      "corrupt",
      `"${path}" must be a file of at most ${MAX_TEXT_FILE_BYTES} bytes`,
    );
  }
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const n = file.readSync(bytes.subarray(length));
    if (n === null) break;
    length += n;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true })
      .decode(bytes.subarray(0, length));
  } catch (cause) {
    throw new StorageError("corrupt", `"${path}" is not UTF-8`, { cause });
  }
}

/** Waits until what was written to `path`, a file or a folder, is on the disk. */
function sync(path: string) {
  using file = Deno.openSync(path);
  file.syncSync();
}

/** Runs `fn`, and throws what the system does as a {@link StorageError} that names `path`. */
export function withFile<T>(
  path: string,
  verb: "open" | "read" | "write",
  fn: () => T,
): T {
  try {
    return fn();
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    const code = cause instanceof Deno.errors.NotFound
      ? "absent"
      : (cause as { code?: string }).code === "ENOSPC"
      ? "full"
      : "io";
    throw new StorageError(code, `Cannot ${verb} "${path}"`, { cause });
  }
}
