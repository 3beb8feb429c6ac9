import {
  readSecretFile,
  StorageError,
  writeSecretFile,
} from "../src/core/storage/mod.ts";
import { CliError } from "./_error.ts";

/** The secret in the file `name` of `folder`, mode 0600; `make` makes it if it is not there. */
export function secretIn(
  folder: string,
  name: string,
  make?: () => string,
): string {
  const path = `${folder}/${name}`;
  try {
    return readSecretFile(path).trim();
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause;
    if (cause.code !== "absent" || !make) {
      throw new CliError("failed", `Cannot read ${path}`, { cause });
    }
  }
  const made = make();
  writeSecretFile(path, `${made}\n`);
  return made;
}
