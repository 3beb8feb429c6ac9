/**
 * Frames of a link. All have one length, so that an observer learns only how many there are, and when.
 *
 * ```text
 * frame    AEAD of body: 16 bytes more; there is no header
 * body     type u8 ‖ epoch u32 ‖ content, padded with zeros to the length of a Sphinx packet
 *
 * type 0 padding    epoch 0; no content
 *      1 packet     Sphinx packet; epoch: of the Sphinx keys it was built for
 *      2 message    epoch 0; gateway → client: sequence u64 ‖ identifier 16 ‖ Sphinx payload
 *      3 collected  epoch 0; client → gateway: sequence u64, up to which the client has every message
 * ```
 *
 * Integers are big-endian. A body whose type is unknown, whose unused bytes are not zero or whose sequence is above 2^53 − 1 is
 * malformed.
 *
 * @module
 */
import type { Bytes } from "../../core/bytes/mod.ts";
import { MixnetError } from "../error.ts";
import { HEADER_LENGTH } from "../sphinx/geometry.ts";

const PREFIX_LENGTH = 5;
const TAG_LENGTH = 16;
const SEQUENCE_LENGTH = 8;
const IDENTIFIER_LENGTH = 16;
const MESSAGE_HEAD = SEQUENCE_LENGTH + IDENTIFIER_LENGTH;
const TYPE = { padding: 0, packet: 1, message: 2, collected: 3 } as const;

/** Nothing, in the form of something. */
export interface PaddingFrame {
  /** Tells the frames apart. */
  readonly type: "padding";
}

/** A Sphinx packet under way. */
export interface PacketFrame {
  /** Tells the frames apart. */
  readonly type: "packet";
  /** The epoch of the Sphinx keys that the packet was built for, its low 32 bits. */
  readonly epoch: number;
  /** The packet, of the network's length. */
  readonly packet: Uint8Array;
}

/** A message from a mailbox to its owner. */
export interface MessageFrame {
  /** Tells the frames apart. */
  readonly type: "message";
  /** Place in the mailbox, 0 to 2^53 − 1. */
  readonly sequence: number;
  /** 16 bytes that the Sphinx packet had: zeros, or those of a SURB. */
  readonly identifier: Uint8Array;
  /** The Sphinx payload, of the network's length. */
  readonly payload: Uint8Array;
}

/** What a client says of its mailbox. */
export interface CollectedFrame {
  /** Tells the frames apart. */
  readonly type: "collected";
  /** It has every message up to this one, 0 to 2^53 − 1. */
  readonly sequence: number;
}

/** What one frame of a link carries. */
export type LinkFrame =
  | PaddingFrame
  | PacketFrame
  | MessageFrame
  | CollectedFrame;

/** The frame that carries nothing. */
export const PADDING: PaddingFrame = { type: "padding" };

/** Bytes of a frame's body where Sphinx packets have `packetLength`. */
export function linkBodyLength(packetLength: number): number {
  return PREFIX_LENGTH + packetLength;
}

/** Bytes of a frame on the wire where Sphinx packets have `packetLength`. */
export function linkFrameLength(packetLength: number): number {
  return linkBodyLength(packetLength) + TAG_LENGTH;
}

/**
 * Checks that `frame` can be encoded where Sphinx packets have `packetLength` bytes.
 *
 * @throws {RangeError} If a length or a number in it is out of range.
 */
export function checkLinkFrame(frame: LinkFrame, packetLength: number): void {
  switch (frame.type) {
    case "packet":
      checkLength("A packet", frame.packet, packetLength);
      if (!(frame.epoch >>> 0 === frame.epoch)) {
        throw new RangeError(`An epoch has 32 bits: got ${frame.epoch}`);
      }
      return;
    case "message":
      checkLength("An identifier", frame.identifier, IDENTIFIER_LENGTH);
      checkLength("A payload", frame.payload, packetLength - HEADER_LENGTH);
      return checkSequence(frame.sequence);
    case "collected":
      return checkSequence(frame.sequence);
  }
}

/** Writes the body of `frame`, which was checked, over all of `body`. */
export function encodeLinkFrame(frame: LinkFrame, body: Bytes): void {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  view.setUint8(0, TYPE[frame.type]);
  view.setUint32(1, frame.type === "packet" ? frame.epoch : 0);
  let end = PREFIX_LENGTH;
  const put = (bytes: Uint8Array) => {
    body.set(bytes, end);
    end += bytes.length;
  };
  switch (frame.type) {
    case "packet":
      put(frame.packet);
      break;
    case "message":
      view.setBigUint64(end, BigInt(frame.sequence));
      end += SEQUENCE_LENGTH;
      put(frame.identifier);
      put(frame.payload);
      break;
    case "collected":
      view.setBigUint64(end, BigInt(frame.sequence));
      end += SEQUENCE_LENGTH;
  }
  body.fill(0, end);
}

/**
 * What `body` carries; its arrays are views of it.
 *
 * @throws {MixnetError} `malformed`.
 */
export function decodeLinkFrame(body: Bytes): LinkFrame {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const epoch = view.getUint32(1);
  const content = body.subarray(PREFIX_LENGTH);
  const type = view.getUint8(0);
  if (type === TYPE.packet) return { type: "packet", epoch, packet: content };
  if (epoch !== 0) throw malformed("an epoch where none belongs");
  const sequence = () => {
    const value = Number(view.getBigUint64(PREFIX_LENGTH));
    if (!Number.isSafeInteger(value)) throw malformed("a sequence too large");
    return value;
  };
  switch (type) {
    case TYPE.padding:
      checkZeros(content);
      return PADDING;
    case TYPE.message: {
      const end = MESSAGE_HEAD + content.length - HEADER_LENGTH;
      checkZeros(content.subarray(end));
      return {
        type: "message",
        sequence: sequence(),
        identifier: content.subarray(SEQUENCE_LENGTH, MESSAGE_HEAD),
        payload: content.subarray(MESSAGE_HEAD, end),
      };
    }
    case TYPE.collected:
      checkZeros(content.subarray(SEQUENCE_LENGTH));
      return { type: "collected", sequence: sequence() };
    default:
      throw malformed(`type ${type}`);
  }
}

function checkLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length === length) return;
  throw new RangeError(`${what} has ${length} bytes: got ${bytes.length}`);
}

function checkSequence(sequence: number): void {
  if (Number.isSafeInteger(sequence) && sequence >= 0) return;
  throw new RangeError(`A sequence is in 0..2^53-1: got ${sequence}`);
}

function checkZeros(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0) throw malformed("padding that is not zero");
  }
}

function malformed(what: string): MixnetError {
  return new MixnetError("malformed", `A link frame has ${what}`);
}
