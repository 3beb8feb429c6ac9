import { CliError } from "./_error.ts";

/**
 * Keeps the state in `folder` to this process, so that no two of them are the same node or client.
 *
 * @throws {CliError} `failed` if another process has it.
 */
export function lockState(folder: string, name: string): Disposable {
  const path = `${folder}/${name}.lock`;
  const file = Deno.openSync(path, {
    create: true,
    write: true,
    mode: 0o600,
  });
  if (file.tryLockSync(true)) return file;
  file.close();
  throw new CliError("failed", `Another process uses the state in ${folder}`, {
    hint: "End it first, or name another folder as state.",
  });
}
