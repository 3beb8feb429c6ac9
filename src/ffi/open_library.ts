import { FfiError, type FfiErrorCode } from "./error.ts";

/**
 * The functions `symbols` of the library `name`, from the file `path`.
 *
 * @throws {FfiError} `not_permitted`, `not_found`, or `unsupported` if it lacks one.
 */
export function openLibrary<const S extends Deno.ForeignLibraryInterface>(
  name: string,
  path: string,
  symbols: S,
): Deno.DynamicLibrary<S>["symbols"] {
  try {
    return Deno.dlopen(path, symbols).symbols;
  } catch (cause) {
    throw new FfiError(...reasonOf(name, cause), { cause });
  }
}

function reasonOf(name: string, cause: unknown): [FfiErrorCode, string] {
  if (cause instanceof Deno.errors.NotCapable) {
    return ["not_permitted", `Want the permission to load ${name}`];
  }
  return `${cause}`.includes("Failed to register symbol") // Deno has no class for it
    ? ["unsupported", `Want a newer ${name}: it lacks a function`]
    : ["not_found", `Cannot load ${name}`];
}
