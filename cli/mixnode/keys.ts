import {
  type Bytes,
  decodeBase64Url,
  encodeBase64Url,
} from "../../src/core/bytes/mod.ts";
import { type CryptoProvider, Secret } from "../../src/core/crypto/mod.ts";
import {
  readSecretFile,
  StorageError,
  writeSecretFile,
} from "../../src/core/storage/mod.ts";
import { CliError } from "../_error.ts";

/** The secrets of each kind, 32 bytes each, and the file in the folder of the state that keeps them, mode 0600. */
const KINDS = {
  node: ["identitySeed", "linkKey"],
  authority: ["identitySeed"],
  client: ["linkKey", "sealKey", "vrfSeed"],
} as const;

/** Whose keys. */
export type KeyKind = keyof typeof KINDS;

/** The secrets of a kind by name. */
export type MixnodeKeys<K extends KeyKind> = Readonly<
  Record<typeof KINDS[K][number], Secret>
>;

/** Where the keys of `kind` are. */
export function keyPath(folder: string, kind: KeyKind): string {
  return `${folder}/${kind}.json`;
}

/** Draws the keys of `kind` and writes them; the caller sees to it that there are none. */
export function makeKeys<K extends KeyKind>(
  crypto: CryptoProvider,
  folder: string,
  kind: K,
): MixnodeKeys<K> {
  const drawn = KINDS[kind].map((name) => [name, crypto.random(32)] as const);
  const file = Object.fromEntries(
    drawn.map(([name, bytes]) => [name, encodeBase64Url(bytes)]),
  );
  writeSecretFile(keyPath(folder, kind), JSON.stringify(file, null, 2) + "\n");
  return secretsOf<K>(drawn);
}

/**
 * Reads the keys of `kind`.
 *
 * @throws {CliError} `failed` if they are not there, not whole, or open to others.
 */
export function readKeys<K extends KeyKind>(
  folder: string,
  kind: K,
): MixnodeKeys<K> {
  const path = keyPath(folder, kind);
  const text = readKeyFile(path, kind);
  try {
    const file = JSON.parse(text);
    return secretsOf<K>(
      KINDS[kind].map((name) => [name, keyOf(file[name])] as const),
    );
  } catch (cause) {
    throw new CliError("failed", `${path} does not hold a ${kind}'s keys`, {
      cause,
      hint: "Restore it from a backup, or move it away and make new keys.",
    });
  }
}

function readKeyFile(path: string, kind: KeyKind): string {
  try {
    return readSecretFile(path);
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause;
    const flag = kind === "node" ? "" : ` --${kind}`;
    throw new CliError("failed", `Cannot read the keys in ${path}`, {
      cause,
      ...(cause.code === "exposed" && { hint: `chmod 600 ${path}` }),
      ...(cause.code === "absent" &&
        { hint: `betanet-mixnode keygen${flag} makes them.` }),
    });
  }
}

function keyOf(text: unknown): Bytes {
  const bytes = decodeBase64Url(String(text));
  if (bytes.length !== 32) throw new RangeError("Want 32 bytes");
  return bytes;
}

function secretsOf<K extends KeyKind>(
  entries: readonly (readonly [string, Bytes])[],
): MixnodeKeys<K> {
  return Object.fromEntries(
    entries.map(([name, bytes]) => [name, new Secret(bytes)]),
  ) as unknown as MixnodeKeys<K>;
}
