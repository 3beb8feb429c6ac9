import type { Bytes } from "../../../src/core/bytes/mod.ts";

/** The tests of `tests/vectors/<name>.json`; every field is text, hexadecimal if it stands for bytes. */
export function vectors(name: string): Readonly<Record<string, string>>[] {
  const url = new URL(`../../vectors/${name}.json`, import.meta.url);
  return JSON.parse(Deno.readTextFileSync(url));
}

/** The bytes of a field. */
export function hex(text: string | undefined): Bytes {
  if (text === undefined) throw new Error("The vector lacks a field");
  return Uint8Array.fromHex(text);
}
