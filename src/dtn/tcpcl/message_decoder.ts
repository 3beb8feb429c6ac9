import { concat, DecodeError, Reader } from "../../core/bytes/mod.ts";
import { TcpclError } from "./error.ts";
import { decodeExtensionItems, type ExtensionItem } from "./extension_item.ts";
import {
  type Message,
  MESSAGE_TYPE,
  REFUSE_REASONS,
  REJECT_REASONS,
  SESS_TERM_REPLY,
  type SessInit,
  TERM_REASONS,
  XFER_FLAGS,
  type XferAck,
  type XferSegment,
} from "./message.ts";

/** Longest node id and longest list of extension items that are read, in bytes. */
const MAX_NODE_ID_BYTES = 1_024;
const MAX_EXTENSION_BYTES = 4_096;

const utf8Decoder = new TextDecoder("utf-8", { fatal: true });

/** A message, or the next data of the segment whose head came last; the data borrow the bytes that were given. */
export type Decoded =
  | Message
  | {
    readonly type: "data";
    readonly data: Uint8Array;
    readonly last: boolean;
  };

/**
 * Takes bytes as they come and gives messages. Of a head that is not whole it keeps at most about 5 KiB; it never keeps data.
 *
 * After it has thrown, the place of the next message is unknown: nothing more can be decoded.
 */
export class MessageDecoder {
  #rest: Uint8Array = new Uint8Array();
  #dataLeft = 0;
  #messageType = 0;

  /** First byte of the message that was decoded last, or that could not be. */
  get messageType(): number {
    return this.#messageType;
  }

  /**
   * Decodes what `bytes` complete. An empty segment gives one `data` without bytes.
   *
   * @throws {TcpclError} `unknown` for a type that no message has, `malformed` or `limit`; what was before it has been given.
   */
  *decode(bytes: Uint8Array): Generator<Decoded, void> {
    let input = this.#rest.length > 0 ? concat(this.#rest, bytes) : bytes;
    this.#rest = new Uint8Array();
    for (;;) {
      if (this.#dataLeft > 0) {
        if (input.length === 0) return;
        const data = input.subarray(0, this.#dataLeft);
        this.#dataLeft -= data.length;
        input = input.subarray(data.length);
        yield { type: "data", data, last: this.#dataLeft === 0 };
        continue;
      }
      this.#messageType = input[0] ?? this.#messageType;
      const length = headLength(input);
      if (length === undefined || length > input.length) {
        this.#rest = input.slice();
        return;
      }
      const message = decodeHead(input.subarray(0, length));
      input = input.subarray(length);
      yield message;
      if (message.type === "XFER_SEGMENT") {
        this.#dataLeft = message.dataLength;
        if (message.dataLength === 0) {
          yield { type: "data", data: input.subarray(0, 0), last: true };
        }
      }
    }
  }
}

/** The length of the message that `bytes` begin with, data of a segment apart; `undefined` if more bytes are needed to tell. */
function headLength(bytes: Uint8Array): number | undefined {
  const type = bytes[0];
  switch (type) {
    case undefined:
      return undefined;
    case MESSAGE_TYPE.xferSegment: {
      if (bytes.length < 2) return undefined;
      if ((bytes[1]! & XFER_FLAGS.start) === 0) return 18;
      const extensions = u32At(bytes, 10, MAX_EXTENSION_BYTES);
      return extensions === undefined ? undefined : 22 + extensions;
    }
    case MESSAGE_TYPE.xferAck:
      return 18;
    case MESSAGE_TYPE.xferRefuse:
      return 10;
    case MESSAGE_TYPE.keepalive:
      return 1;
    case MESSAGE_TYPE.sessTerm:
    case MESSAGE_TYPE.msgReject:
      return 3;
    case MESSAGE_TYPE.sessInit: {
      if (bytes.length < 21) return undefined;
      const nodeId = bytes[19]! << 8 | bytes[20]!;
      checkLength(nodeId, MAX_NODE_ID_BYTES);
      const extensions = u32At(bytes, 21 + nodeId, MAX_EXTENSION_BYTES);
      return extensions === undefined ? undefined : 25 + nodeId + extensions;
    }
    default:
      throw new TcpclError("unknown", `No message has the type ${type}`);
  }
}

function u32At(
  bytes: Uint8Array,
  at: number,
  max: number,
): number | undefined {
  if (bytes.length < at + 4) return undefined;
  const reader = new Reader(bytes.subarray(at, at + 4), "TCPCL length");
  return checkLength(reader.u32(), max);
}

function checkLength(length: number, max: number): number {
  if (length > max) {
    throw new TcpclError("limit", `Want at most ${max} bytes: got ${length}`);
  }
  return length;
}

function decodeHead(bytes: Uint8Array): Message {
  const reader = new Reader(bytes, "TCPCL message");
  switch (reader.u8()) {
    case MESSAGE_TYPE.xferSegment:
      return readXferSegment(reader);
    case MESSAGE_TYPE.xferAck:
      return readXferAck(reader);
    case MESSAGE_TYPE.xferRefuse:
      return {
        type: "XFER_REFUSE",
        reason: REFUSE_REASONS[reader.u8()] ?? "unknown",
        transferId: reader.u64(),
      };
    case MESSAGE_TYPE.keepalive:
      return { type: "KEEPALIVE" };
    case MESSAGE_TYPE.sessTerm:
      return {
        type: "SESS_TERM",
        reply: (reader.u8() & SESS_TERM_REPLY) !== 0,
        reason: TERM_REASONS[reader.u8()] ?? "unknown",
      };
    case MESSAGE_TYPE.msgReject:
      return {
        type: "MSG_REJECT",
        reason: REJECT_REASONS[reader.u8() - 1] ?? "unsupported",
        messageType: reader.u8(),
      };
    default:
      return readSessInit(reader);
  }
}

function readXferSegment(reader: Reader): XferSegment {
  const flags = reader.u8();
  const start = (flags & XFER_FLAGS.start) !== 0;
  return {
    type: "XFER_SEGMENT",
    start,
    end: (flags & XFER_FLAGS.end) !== 0,
    transferId: reader.u64(),
    extensions: start ? readExtensions(reader) : [],
    dataLength: readLength(reader),
  };
}

function readXferAck(reader: Reader): XferAck {
  const flags = reader.u8();
  return {
    type: "XFER_ACK",
    start: (flags & XFER_FLAGS.start) !== 0,
    end: (flags & XFER_FLAGS.end) !== 0,
    transferId: reader.u64(),
    ackedLength: readLength(reader),
  };
}

function readSessInit(reader: Reader): SessInit {
  return {
    type: "SESS_INIT",
    keepaliveS: reader.u16(),
    segmentMruBytes: readLength(reader),
    transferMruBytes: readLength(reader),
    nodeId: readText(reader.take(reader.u16())),
    extensions: readExtensions(reader),
  };
}

function readLength(reader: Reader): number {
  return Math.min(Number(reader.u64()), Number.MAX_SAFE_INTEGER);
}

function readText(bytes: Uint8Array): string {
  try {
    return utf8Decoder.decode(bytes);
  } catch (cause) {
    throw new TcpclError("malformed", "A node id is not UTF-8", { cause });
  }
}

/** The items, in memory of their own, since they outlive the bytes that came. */
function readExtensions(reader: Reader): readonly ExtensionItem[] {
  const length = reader.u32();
  if (length === 0) return [];
  try {
    return decodeExtensionItems(reader.take(length).slice());
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new TcpclError("malformed", cause.message, { cause });
  }
}
