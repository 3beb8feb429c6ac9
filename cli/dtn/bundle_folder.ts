import type { files } from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";

/**
 * The files of the folder at `path`.
 *
 * @throws {CliError} `failed`, of each of its methods too, if the system does not let it.
 */
export function bundleFolder(path: string): files.BundleFolder {
  const at = (name: string) => `${path}/${name}`;
  return {
    names: () =>
      doing("read", path, async () => {
        const names: string[] = [];
        for await (const entry of Deno.readDir(path)) {
          if (entry.isFile) names.push(entry.name);
        }
        return names.sort();
      }),
    read: (name, maxBytes) =>
      doing("read", at(name), async () => {
        const { size } = await Deno.stat(at(name));
        return size > maxBytes ? undefined : await Deno.readFile(at(name));
      }),
    write: (name, bytes) =>
      doing("write", at(name), async () => {
        await Deno.writeFile(at(name), bytes);
        await sync(at(name));
      }),
    rename: (from, to) =>
      doing("write", at(to), async () => {
        await Deno.rename(at(from), at(to));
        if (Deno.build.os !== "windows") await sync(path);
      }),
    remove: (name) => doing("remove", at(name), () => Deno.remove(at(name))),
  };
}

/** Waits until what was written to a file or a folder is on the disk. */
async function sync(path: string): Promise<void> {
  using file = await Deno.open(path);
  await file.sync();
}

async function doing<T>(
  verb: string,
  path: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new CliError("failed", `Cannot ${verb} ${path}`, { cause });
  }
}
