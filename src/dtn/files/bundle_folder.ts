import type { Bytes } from "../../core/bytes/mod.ts";

/** The files of one folder, by name without a path. */
export interface BundleFolder {
  /** Names of the files in it. */
  names(): Promise<readonly string[]>;
  /** What a file holds; `undefined` if that is more than `maxBytes`. */
  read(name: string, maxBytes: number): Promise<Bytes | undefined>;
  /** Makes a file, or replaces one; resolves once its bytes are on the disk. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Gives a file another name at once, in place of what has it; resolves once that is on the disk. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. */
  remove(name: string): Promise<void>;
}

const SUFFIX = ".bundle";
const DIGEST_NAME = /^([0-9a-f]{64})\.bundle$/;
const PART_NAME = /^\.[0-9a-f]{64}\.bundle\.part$/;

/** The name of the file of a bundle: the SHA-256 of its bytes in hexadecimal, and `.bundle`. */
export function bundleFileName(digest: Uint8Array): string {
  return digest.toHex() + SUFFIX;
}

/** What a file of a bundle is called until it is whole. */
export function partName(name: string): string {
  return `.${name}.part`;
}

/** Whether {@link partName} made the name. */
export function isPart(name: string): boolean {
  return PART_NAME.test(name);
}

/** Whether a file is to hold a bundle, whoever made it. */
export function isBundleFile(name: string): boolean {
  return name.endsWith(SUFFIX) && !name.startsWith(".");
}

/** The digest that the name of a file says, in hexadecimal; `undefined` if it says none. */
export function digestInName(name: string): string | undefined {
  return DIGEST_NAME.exec(name)?.[1];
}
