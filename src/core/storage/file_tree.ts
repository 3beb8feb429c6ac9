import type { Bytes } from "../bytes/mod.ts";
import { StorageError } from "./error.ts";

/** Limits of {@link readFileTree}. */
export interface FileTreeLimits {
  /** Most files; 1,000 by default. */
  readonly maxFiles?: number;
  /** Most bytes in all files together; 64 MiB by default. */
  readonly maxBytes?: number;
}

/**
 * The content of every file under the folder `root`, by path relative to it, with `/` between names.
 *
 * Symbolic links and names that begin with a dot are left out, so that nothing outside the folder and nothing hidden gets in.
 *
 * @throws {StorageError} `absent` if there is no such folder, `full` beyond a limit, `io` if a file cannot be read.
 */
export function readFileTree(
  root: string,
  { maxFiles = 1_000, maxBytes = 64 * 1024 * 1024 }: FileTreeLimits = {},
): Map<string, Bytes> {
  const files = new Map<string, Bytes>();
  let bytes = 0;
  const visit = (folder: string) => {
    for (const entry of Deno.readDirSync(`${root}/${folder}`)) {
      if (entry.isSymlink || entry.name.startsWith(".")) continue;
      const path = folder + entry.name;
      if (entry.isDirectory) visit(`${path}/`);
      if (!entry.isFile) continue;
      bytes += Deno.lstatSync(`${root}/${path}`).size;
      if (files.size >= maxFiles || bytes > maxBytes) {
        throw new StorageError("full", `Too many files or bytes in "${root}"`);
      }
      files.set(path, Deno.readFileSync(`${root}/${path}`));
    }
  };
  try {
    visit("");
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    const absent = cause instanceof Deno.errors.NotFound ||
      cause instanceof Deno.errors.NotADirectory;
    throw new StorageError(
      absent ? "absent" : "io",
      `Cannot read the folder "${root}"`,
      { cause },
    );
  }
  return files;
}
