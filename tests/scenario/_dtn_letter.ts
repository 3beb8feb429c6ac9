import type { Bytes } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type Bundle,
  createBundle,
  dtnTime,
  Eid,
  type Priority,
} from "../../src/dtn/mod.ts";

/** A bundle that one application sends another, as both can make it: whoever sends it again sends the same. */
export interface Letter {
  /** Its number, which no other has. */
  readonly number: number;
  /** Names `n` of the nodes `dtn://n/`. */
  readonly from: string;
  readonly to: string;
  /** Bytes of payload, 4 at least. */
  readonly size: number;
  readonly priority: Priority;
  /** Wall time. */
  readonly createdMs: number;
  readonly lifetimeMs: number;
}

/** The bundle of a letter. */
export function bundleOf(letter: Letter): Bundle {
  const { number, from, to, createdMs, lifetimeMs } = letter;
  return createBundle({
    source: Eid.parse(`dtn://${from}/out`),
    destination: Eid.parse(`dtn://${to}/in`),
    creation: { timeMs: dtnTime(createdMs), sequence: number },
    payload: payloadOf(letter),
    lifetimeMs,
  });
}

/** The number of the letter that carries `payload`. */
export function numberIn(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0);
}

/** SHA-256 of a letter's payload, in hexadecimal. */
export function digestOf(payload: Uint8Array): string {
  return nodeProvider.hash("sha256", payload).toHex();
}

/** Its number, then what follows from it: xorshift32. */
export function payloadOf({ number, size }: Letter): Bytes {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = number + 1;
  for (let i = 1; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  new DataView(words.buffer).setUint32(0, number);
  return new Uint8Array(words.buffer, 0, size);
}
