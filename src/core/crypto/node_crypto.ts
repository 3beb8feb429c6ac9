import type NodeCrypto from "node:crypto";

let loaded: typeof NodeCrypto | undefined;

/**
 * The module `node:crypto`, looked up at the first call, so that importing a file that uses it costs nothing where it is missing.
 *
 * @throws {TypeError} Where there is none, such as in a browser.
 */
export function nodeCrypto(): typeof NodeCrypto {
  return loaded ??= load();
}

function load(): typeof NodeCrypto {
  const { process } = globalThis as {
    process?: { getBuiltinModule?(id: "node:crypto"): typeof NodeCrypto };
  };
  const found = process?.getBuiltinModule?.("node:crypto");
  if (!found) throw new TypeError("The node provider needs node:crypto");
  return found;
}
