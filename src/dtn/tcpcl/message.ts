import { type Bytes, utf8, Writer } from "../../core/bytes/mod.ts";
import type { RefusalReason } from "../cla/convergence_layer.ts";
import { type ExtensionItem, writeExtensionItems } from "./extension_item.ts";

/** The first byte of each message (RFC 9174 §4.5, §4.6). */
export const MESSAGE_TYPE = {
  xferSegment: 0x01,
  xferAck: 0x02,
  xferRefuse: 0x03,
  keepalive: 0x04,
  sessTerm: 0x05,
  msgReject: 0x06,
  sessInit: 0x07,
} as const;

/** Flags of XFER_SEGMENT and XFER_ACK. */
export const XFER_FLAGS = { end: 0x01, start: 0x02 } as const;

/** Flag of SESS_TERM: it answers another one. */
export const SESS_TERM_REPLY = 0x01;

/** Why a transfer is refused, in the order of the codes from 0 (RFC 9174 §5.2.4). */
export const REFUSE_REASONS = [
  "unknown",
  "completed",
  "noResources",
  "retransmit",
  "notAcceptable",
  "extensionFailure",
  "sessionTerminating",
] as const satisfies readonly (RefusalReason | "completed")[];
/** One of {@link REFUSE_REASONS}; what the peer gives beyond them is `unknown`. */
export type XferRefuseReason = typeof REFUSE_REASONS[number];

/** Why a session ends, in the order of the codes from 0 (RFC 9174 §6.1). */
export const TERM_REASONS = [
  "unknown",
  "idleTimeout",
  "versionMismatch",
  "busy",
  "contactFailure",
  "resourceExhaustion",
] as const;
/** One of {@link TERM_REASONS}; what the peer gives beyond them is `unknown`. */
export type SessTermReason = typeof TERM_REASONS[number];

/** Why a message is rejected, in the order of the codes from 1 (RFC 9174 §5.1.2). */
export const REJECT_REASONS = [
  "typeUnknown",
  "unsupported",
  "unexpected",
] as const;
/** One of {@link REJECT_REASONS}; what the peer gives beyond them is `unsupported`. */
export type MsgRejectReason = typeof REJECT_REASONS[number];

/** What a side offers for the session (RFC 9174 §4.6). */
export interface SessInit {
  readonly type: "SESS_INIT";
  /** Longest time in seconds between two messages of ours, the smaller of both sides counts; 0 is none. */
  readonly keepaliveS: number;
  /** Most data bytes of a segment, at most 2^53 − 1; more is read as that. */
  readonly segmentMruBytes: number;
  /** Most bytes of a bundle, read as above. */
  readonly transferMruBytes: number;
  /** Its node id, which is nothing if empty. */
  readonly nodeId: string;
  readonly extensions: readonly ExtensionItem[];
}

/** Head of a part of a bundle, which `dataLength` bytes follow (RFC 9174 §5.2.2). */
export interface XferSegment {
  readonly type: "XFER_SEGMENT";
  readonly start: boolean;
  readonly end: boolean;
  readonly transferId: bigint;
  /** Empty unless `start`. */
  readonly extensions: readonly ExtensionItem[];
  readonly dataLength: number;
}

/** Says how much of a bundle was taken (RFC 9174 §5.2.3). */
export interface XferAck {
  readonly type: "XFER_ACK";
  readonly start: boolean;
  readonly end: boolean;
  readonly transferId: bigint;
  /** Bytes of the bundle up to the end of the segment. */
  readonly ackedLength: number;
}

/** Refuses a bundle (RFC 9174 §5.2.4). */
export interface XferRefuse {
  readonly type: "XFER_REFUSE";
  readonly reason: XferRefuseReason;
  readonly transferId: bigint;
}

/** Shows that its sender lives (RFC 9174 §5.1.1). */
export interface Keepalive {
  readonly type: "KEEPALIVE";
}

/** Ends the session after what is under way (RFC 9174 §6.1). */
export interface SessTerm {
  readonly type: "SESS_TERM";
  readonly reply: boolean;
  readonly reason: SessTermReason;
}

/** Says that a message made no sense (RFC 9174 §5.1.2). */
export interface MsgReject {
  readonly type: "MSG_REJECT";
  readonly reason: MsgRejectReason;
  /** The first byte of the message. */
  readonly messageType: number;
}

/** What is sent after the contact headers. */
export type Message =
  | SessInit
  | XferSegment
  | XferAck
  | XferRefuse
  | Keepalive
  | SessTerm
  | MsgReject;

/** Encodes a message; of XFER_SEGMENT all but the data. */
export function encodeMessage(message: Message): Bytes {
  const writer = new Writer(32);
  writeMessage(writer, message);
  return writer.finish();
}

/**
 * Appends a message; of XFER_SEGMENT all but the data.
 *
 * ```text
 * SESS_INIT     07  2B keepalive in s  8B segment MRU  8B transfer MRU  2B n, nB node id  4B m, mB extension items
 * XFER_SEGMENT  01  1B flags  8B transfer id  [if START: 4B m, mB extension items]  8B n, nB data
 * XFER_ACK      02  1B flags  8B transfer id  8B acknowledged length
 * XFER_REFUSE   03  1B reason  8B transfer id
 * KEEPALIVE     04
 * SESS_TERM     05  1B flags  1B reason
 * MSG_REJECT    06  1B reason  1B first byte of the message
 * ```
 *
 * @throws {RangeError} If a number does not fit its field.
 */
export function writeMessage(writer: Writer, message: Message): void {
  switch (message.type) {
    case "SESS_INIT": {
      const nodeId = utf8(message.nodeId);
      writer.u8(MESSAGE_TYPE.sessInit).u16(message.keepaliveS)
        .u64(BigInt(message.segmentMruBytes))
        .u64(BigInt(message.transferMruBytes))
        .u16(nodeId.length).put(nodeId);
      return writeExtensionItems(writer, message.extensions);
    }
    case "XFER_SEGMENT":
      writer.u8(MESSAGE_TYPE.xferSegment).u8(xferFlags(message))
        .u64(message.transferId);
      if (message.start) writeExtensionItems(writer, message.extensions);
      writer.u64(BigInt(message.dataLength));
      return;
    case "XFER_ACK":
      writer.u8(MESSAGE_TYPE.xferAck).u8(xferFlags(message))
        .u64(message.transferId).u64(BigInt(message.ackedLength));
      return;
    case "XFER_REFUSE":
      writer.u8(MESSAGE_TYPE.xferRefuse)
        .u8(REFUSE_REASONS.indexOf(message.reason)).u64(message.transferId);
      return;
    case "KEEPALIVE":
      writer.u8(MESSAGE_TYPE.keepalive);
      return;
    case "SESS_TERM":
      writer.u8(MESSAGE_TYPE.sessTerm).u8(message.reply ? SESS_TERM_REPLY : 0)
        .u8(TERM_REASONS.indexOf(message.reason));
      return;
    case "MSG_REJECT":
      writer.u8(MESSAGE_TYPE.msgReject)
        .u8(REJECT_REASONS.indexOf(message.reason) + 1).u8(message.messageType);
  }
}

function xferFlags({ start, end }: XferSegment | XferAck): number {
  return (start ? XFER_FLAGS.start : 0) | (end ? XFER_FLAGS.end : 0);
}
