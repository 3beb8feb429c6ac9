import { cipherSuite } from "../../../src/fabric/group/mls/cipher_suite.ts";
import { crypto } from "../_agents.ts";

/** The vectors of a file of tests/vectors/mls, which are all of suites 1 and 3, or of none. */
export async function vectorsOf<Vector>(
  name: string,
): Promise<readonly Vector[]> {
  const url = new URL(`../../vectors/mls/${name}.json.gz`, import.meta.url);
  const bytes = await Deno.readFile(url);
  const text = new Blob([bytes]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return await new Response(text).json();
}

/** Our functions of a suite. */
export function suiteOf(id: number): ReturnType<typeof cipherSuite> {
  if (id !== 1 && id !== 3) throw new RangeError(`Not offered: suite ${id}`);
  return cipherSuite(crypto, id);
}

/** The bytes that a text in hex says. */
export const hex = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.fromHex(text);

/** What a decoder of the library reads from all of the bytes. */
export function decoded<T>(
  decode: (bytes: Uint8Array, offset: number) => [T, number] | undefined,
  bytes: Uint8Array,
): T {
  const read = decode(bytes, 0);
  if (read === undefined || read[1] !== bytes.length) {
    throw new TypeError(`Read ${read?.[1]} bytes of ${bytes.length}`);
  }
  return read[0];
}
