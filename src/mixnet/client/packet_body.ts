/**
 * What is sealed to the recipient of a forward packet; filled up with zeros, so that every kind is as long as any other.
 *
 * ```text
 * kind 0 loop       nonce 16
 *      1 fragment   message id 16 ‖ index 2 ‖ count 2 ‖ SURBs 1 ‖ length 2 ‖ SURBs × 432 ‖ bytes
 *      2 demand     message id 16 ‖ next 2 ‖ later 32 ‖ SURBs 1 ‖ SURBs × 432
 * ```
 *
 * The kind is one byte, integers are big-endian. A demand asks for the fragments of the reply to a message: `next` is the first that is
 * missing, bit i of `later` (the lowest of the first byte first) says that fragment next + 1 + i is there. When `next` is 65,535
 * the reply is complete, and the replier may forget it.
 *
 * @module
 */
import {
  type Bytes,
  DecodeError,
  Reader,
  Writer,
} from "../../core/bytes/mod.ts";
import {
  readReplySurbs,
  REPLY_SURB_LENGTH,
  type ReplySurb,
  writeReplySurbs,
} from "./reply_surb.ts";

const MESSAGE_ID_LENGTH = 16;

/** Most fragments of a message or reply; the number itself says in a demand that all are there. */
export const MAX_FRAGMENTS = 65_535;

/** Bytes of {@link Demand.later}. */
export const LATER_LENGTH = 32;

const FRAGMENT_HEAD = 1 + MESSAGE_ID_LENGTH + 2 + 2 + 1 + 2;
const DEMAND_HEAD = 1 + MESSAGE_ID_LENGTH + 2 + LATER_LENGTH + 1;
const KIND = { loop: 0, fragment: 1, demand: 2 } as const;

/** Cover to ourselves. */
export interface Loop {
  /** Says which. */
  readonly kind: "loop";
  /** Known to us alone, 16 bytes. */
  readonly nonce: Bytes;
}

/** A piece of a message. */
export interface Fragment {
  /** Says which. */
  readonly kind: "fragment";
  /** The same for all of a message, 16 random bytes. */
  readonly messageId: Bytes;
  /** Its place, from 0. */
  readonly index: number;
  /** How many the message has, 1 to {@link MAX_FRAGMENTS}. */
  readonly count: number;
  /** Ways back to the sender. */
  readonly surbs: readonly ReplySurb[];
  /** Its part of the message. */
  readonly bytes: Bytes;
}

/** What a requester asks of whoever replies. */
export interface Demand {
  /** Says which. */
  readonly kind: "demand";
  /** Of the message that is replied to. */
  readonly messageId: Bytes;
  /** The first fragment of the reply that is missing; {@link MAX_FRAGMENTS} if none is. */
  readonly next: number;
  /** Which fragments behind that one are there. */
  readonly later: Bytes;
  /** Fresh ways back. */
  readonly surbs: readonly ReplySurb[];
}

/** What a sealed packet holds. */
export type PacketBody = Loop | Fragment | Demand;

/** Bytes of a message that fit beside `surbs` SURBs in a body of `bodyLength` bytes; negative if not even those do. */
export function fragmentRoom(bodyLength: number, surbs: number): number {
  return bodyLength - FRAGMENT_HEAD - surbs * REPLY_SURB_LENGTH;
}

/** Most SURBs that a demand of `bodyLength` bytes holds. */
export function demandRoom(bodyLength: number): number {
  return Math.floor((bodyLength - DEMAND_HEAD) / REPLY_SURB_LENGTH);
}

/**
 * The `bodyLength` bytes of `body`.
 *
 * @throws {RangeError} If it does not fit.
 */
export function encodePacketBody(bodyLength: number, body: PacketBody): Bytes {
  const w = new Writer(bodyLength).u8(KIND[body.kind]);
  if (body.kind === "loop") w.put(body.nonce);
  else if (body.kind === "fragment") {
    w.put(body.messageId).u16(body.index).u16(body.count)
      .u8(body.surbs.length).u16(body.bytes.length);
    writeReplySurbs(w, body.surbs);
    w.put(body.bytes);
  } else {
    w.put(body.messageId).u16(body.next).put(body.later)
      .u8(body.surbs.length);
    writeReplySurbs(w, body.surbs);
  }
  if (w.length > bodyLength) {
    throw new RangeError(`A body has ${bodyLength} bytes: got ${w.length}`);
  }
  const bytes = new Uint8Array(bodyLength);
  bytes.set(w.finish());
  return bytes;
}

/**
 * What `bytes` hold.
 *
 * @throws {DecodeError} If the kind is unknown, a part is cut short, or the fragment's place is not within its message.
 */
export function decodePacketBody(bytes: Uint8Array): PacketBody {
  const r = new Reader(bytes, "packet body");
  const kind = r.u8();
  const id = new Uint8Array(r.take(MESSAGE_ID_LENGTH));
  switch (kind) {
    case KIND.loop:
      return { kind: "loop", nonce: id };
    case KIND.fragment: {
      const [index, count, surbCount, length] = [
        r.u16(),
        r.u16(),
        r.u8(),
        r.u16(),
      ];
      if (index >= count) {
        throw new DecodeError(r.what, `fragment ${index} of ${count}`);
      }
      const surbs = readReplySurbs(r, surbCount);
      return {
        kind: "fragment",
        messageId: id,
        index,
        count,
        surbs,
        bytes: new Uint8Array(r.take(length)),
      };
    }
    case KIND.demand: {
      const next = r.u16();
      const later = new Uint8Array(r.take(LATER_LENGTH));
      const surbs = readReplySurbs(r, r.u8());
      return { kind: "demand", messageId: id, next, later, surbs };
    }
  }
  throw new DecodeError(r.what, `unknown kind ${kind}`);
}
