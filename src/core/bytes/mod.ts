/**
 * Byte codecs: a bounds-checked {@link Reader}, a growing {@link Writer}, varint, hex and base64url.
 *
 * @module
 */
export { decodeBase64Url, encodeBase64Url } from "./base64url.ts";
export { type Bytes, concat, utf8 } from "./bytes.ts";
export { equal } from "./equal.ts";
export { DecodeError } from "./error.ts";
export { decodeHex, encodeHex } from "./hex.ts";
export { Reader } from "./reader.ts";
export {
  decodeVarint,
  encodeVarint,
  varintLength,
  varintSize,
} from "./varint.ts";
export { Writer } from "./writer.ts";
