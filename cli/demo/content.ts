import type { Bytes } from "../../src/core/bytes/mod.ts";
import { encodeHex } from "../../src/core/bytes/mod.ts";
import { delay, systemClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";

/** How much is made and hashed at once; the last piece of a resource may be shorter. */
export const PIECE_BYTES = 2 ** 20;

/** The largest resource. */
export const MAX_RESOURCE_BYTES = 2 ** 34;

const BLOCK_BYTES = 64;

/** Something to download: a stretch of the ChaCha20 key stream whose key is the demo's seed, so that two processes can make it apart. */
export interface Resource {
  /** Its nonce. */
  readonly number: number;
  /** Its length. */
  readonly sizeBytes: number;
}

/** Where the origin serves `resource`. */
export function pathOf({ number, sizeBytes }: Resource): string {
  return `/${number}/${sizeBytes}`;
}

/** The resource of a path, or `undefined` if there is none. */
export function parsePath(path: string): Resource | undefined {
  const [, first, second] = /^\/(\d{1,5})\/(\d{1,11})$/.exec(path) ?? [];
  const sizeBytes = Number(second);
  if (first === undefined || sizeBytes > MAX_RESOURCE_BYTES) return undefined;
  return { number: Number(first), sizeBytes };
}

/** Makes the content of a resource, piece by piece. */
export function* piecesOf(
  seed: Uint8Array,
  { number, sizeBytes }: Resource,
): Generator<Bytes, void> {
  const crypto = defaultProvider();
  const zeros = new Uint8Array(Math.min(PIECE_BYTES, sizeBytes));
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(0, number);
  for (let at = 0; at < sizeBytes; at += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, sizeBytes - at);
    const counter = at / BLOCK_BYTES;
    yield crypto.chacha20(seed, nonce, counter, zeros.subarray(0, length));
  }
}

/** The SHA-256 of each piece of a resource, in hex. */
export async function digestsOf(
  seed: Uint8Array,
  resource: Resource,
  options: { readonly signal: AbortSignal },
): Promise<string[]> {
  const digests = [];
  for (const piece of piecesOf(seed, resource)) {
    digests.push(digestOf(piece));
    await delay(systemClock, 0, options); // lets a signal in
  }
  return digests;
}

/** The SHA-256 of `piece` in hex. */
export function digestOf(piece: Uint8Array): string {
  return encodeHex(defaultProvider().hash("sha256", piece));
}
