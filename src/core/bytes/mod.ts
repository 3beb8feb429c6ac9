/**
 * Byte codecs: a bounds-checked {@link Reader}, a growing {@link Writer}, varint, CBOR, hex, base64url and IP addresses.
 *
 * @module
 */
export { decodeBase64Url, encodeBase64Url } from "./base64url.ts";
export { type Bytes, concat, utf8 } from "./bytes.ts";
export {
  type CborOptions,
  decodeCbor,
  readCbor,
  readCborArray,
  readCborBreak,
} from "./cbor_decode.ts";
export { encodeCbor, writeCbor } from "./cbor_encode.ts";
export {
  CBOR_BREAK,
  CBOR_MAJOR,
  cborHeadLength,
  type CborMajor,
  writeCborHead,
} from "./cbor_head.ts";
export {
  type CborDecoded,
  CborFloat,
  CborSimple,
  CborTag,
  type CborValue,
} from "./cbor_value.ts";
export { equal } from "./equal.ts";
export { DecodeError } from "./error.ts";
export { decodeHex, encodeHex } from "./hex.ts";
export { formatIp, parseIp } from "./ip_address.ts";
export { Reader } from "./reader.ts";
export { borrow, giveBack } from "./room.ts";
export {
  decodeVarint,
  encodeVarint,
  varintLength,
  varintSize,
} from "./varint.ts";
export { Writer } from "./writer.ts";
