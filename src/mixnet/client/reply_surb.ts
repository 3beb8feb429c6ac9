import type { Bytes, Reader, Writer } from "../../core/bytes/mod.ts";
import { SURB_LENGTH } from "../sphinx/surb.ts";

const KEY_LENGTH = 32;

/** Bytes of an encoded {@link ReplySurb}: epoch 4 ‖ SURB 396 ‖ key 32. */
export const REPLY_SURB_LENGTH = 4 + SURB_LENGTH + KEY_LENGTH;

/** One way back, as the recipient of a message gets it. */
export interface ReplySurb {
  /** Of the keys it was built for, low 32 bits. */
  readonly epoch: number;
  /** The SURB. */
  readonly surb: Bytes;
  /** What the one reply through it is sealed with, so that hops in league read nothing; 32 bytes. */
  readonly key: Bytes;
}

/** Appends `surbs`: the epoch of each (big-endian), the SURB, the key. */
export function writeReplySurbs(w: Writer, surbs: readonly ReplySurb[]): void {
  for (const { epoch, surb, key } of surbs) w.u32(epoch).put(surb).put(key);
}

/** Reads `count` of them. */
export function readReplySurbs(r: Reader, count: number): ReplySurb[] {
  const surbs: ReplySurb[] = [];
  for (let i = 0; i < count; i++) {
    surbs.push({
      epoch: r.u32(),
      surb: new Uint8Array(r.take(SURB_LENGTH)),
      key: new Uint8Array(r.take(KEY_LENGTH)),
    });
  }
  return surbs;
}
