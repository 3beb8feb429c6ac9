import { type Bytes, concat, utf8 } from "../../src/core/bytes/mod.ts";
import { CliError } from "../_error.ts";
import { digestOf, piecesOf } from "./content.ts";

/** Files of the tree. */
export const FILES = 300;

const FOLDERS = ["letters", "maps/north", "maps/süd", "pictures/2026/11"];
const SEPARATOR = 0;

/** Length of the file of that number: most are short, one is empty, one in twenty has one to four MB. */
function sizeOf(number: number): number {
  if (number % 20 === 0) return 1_000_000 + number * 9_973;
  if (number % 5 === 0) return 50_000 + number * 997;
  return (number - 1) * (number - 1) % 16_381;
}

/** Writes a tree of {@link FILES} files into `folder`, whose content `seed` makes. */
export async function makeTree(
  folder: string,
  seed: Uint8Array,
): Promise<void> {
  for (const each of FOLDERS) {
    await Deno.mkdir(`${folder}/${each}`, { recursive: true });
  }
  for (let number = 1; number <= FILES; number++) {
    const path = `${FOLDERS[number % FOLDERS.length]}/file ${number}`;
    const resource = { number, sizeBytes: sizeOf(number) };
    await Deno.writeFile(
      `${folder}/${path}`,
      concat(...piecesOf(seed, resource)),
    );
  }
}

/** The SHA-256 of every file below `folder`, by its path there; in the order of paths. */
export async function digestsOfTree(
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const found: [string, string][] = [];
  for await (const path of filesBelow(folder, "")) {
    found.push([path, digestOf(await Deno.readFile(`${folder}/${path}`))]);
  }
  return new Map(found.sort(([a], [b]) => a < b ? -1 : 1));
}

/** A file as a payload: its path, a zero byte, its content. */
export function packFile(path: string, content: Uint8Array): Bytes {
  return concat(utf8(path), new Uint8Array([SEPARATOR]), content);
}

/**
 * Writes the file of a payload into `folder`.
 *
 * @throws {CliError} `failed` if it holds none, or there is one of its path already.
 */
export async function unpackFile(
  folder: string,
  payload: Uint8Array,
): Promise<void> {
  const end = payload.indexOf(SEPARATOR);
  const path = new TextDecoder().decode(payload.subarray(0, Math.max(0, end)));
  const parts = path.split("/");
  if (parts.some((part) => ["", ".", ".."].includes(part))) {
    throw new CliError("failed", "A bundle holds no file");
  }
  const parent = parts.slice(0, -1).join("/");
  await Deno.mkdir(`${folder}/${parent}`, { recursive: true });
  await Deno.writeFile(`${folder}/${path}`, payload.subarray(end + 1), {
    createNew: true,
  }).catch((cause) => {
    throw new CliError("failed", `Cannot write ${path}`, { cause });
  });
}

/** Paths of the files below `folder`, each with `prefix` before it. */
export async function* filesBelow(
  folder: string,
  prefix: string,
): AsyncGenerator<string, void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${prefix}${name}`;
    if (isDirectory) yield* filesBelow(`${folder}/${name}`, `${path}/`);
    else yield path;
  }
}

/**
 * Wants the digests of a tree to be those of what was sent.
 *
 * @throws {CliError} `failed`, naming a file, if they are not.
 */
export function requireSame(
  got: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): void {
  for (const [path, digest] of wanted) {
    if (got.get(path) === digest) continue;
    throw new CliError("failed", `${path} is not what was sent`);
  }
  if (got.size === wanted.size) return;
  throw new CliError("failed", `${got.size - wanted.size} files were not sent`);
}
