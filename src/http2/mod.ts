/**
 * HTTP/2 (RFC 9113) and HPACK (RFC 7541) without IO.
 *
 * @module
 */
export {
  DEFAULT_MAX_STREAMS,
  Http2Connection,
  type Http2ConnectionOptions,
} from "./connection.ts";
export type {
  DataEvent,
  FailedEvent,
  GoAwayEvent,
  HeadersEvent,
  Http2Event,
  PongEvent,
  ResetEvent,
  SettingsEvent,
} from "./connection_event.ts";
export {
  connectionPreface,
  decodeFrame,
  DEFAULT_MAX_FRAME_BYTES,
  encodeFrame,
  encodeFrameHeader,
  FLAG,
  type Frame,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE,
  PREFACE_LENGTH,
} from "./frame.ts";
export {
  decodeGoAway,
  decodeHeaders,
  decodePriority,
  decodeRstStream,
  decodeWindowUpdate,
  encodePriority,
  type GoAway,
  type HeadersPayload,
  type Priority,
  unpad,
} from "./frame_payload.ts";
export {
  DEFAULT_MAX_HEADER_LIST_BYTES,
  HpackDecoder,
  type HpackDecoderOptions,
} from "./hpack_decoder.ts";
export {
  chromeIndexing,
  HpackEncoder,
  type HpackEncoderOptions,
  type Indexing,
} from "./hpack_encoder.ts";
export type { HeadersOptions } from "./frame_writer.ts";
export type { HeaderField } from "./hpack_table.ts";
export {
  ERROR_CODE,
  type ErrorCodeName,
  errorCodeName,
  Http2Error,
} from "./http2_error.ts";
export {
  applySettings,
  decodeSettings,
  DEFAULT_SETTINGS,
  encodeSettings,
  MAX_SETTINGS,
  SETTING,
  type Setting,
  type Settings,
} from "./settings.ts";
export type { Http2Role } from "./http2_stream.ts";
export type { PeerGreeting, SendOptions } from "./outbound.ts";
