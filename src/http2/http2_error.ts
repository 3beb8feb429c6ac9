/** Error codes of RST_STREAM and GOAWAY (RFC 9113 §7). */
export const ERROR_CODE = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;

/** A key of {@link ERROR_CODE}. */
export type ErrorCodeName = keyof typeof ERROR_CODE;

/** What the peer broke, and whether it costs one stream or the connection (RFC 9113 §5.4). */
export class Http2Error extends Error {
  /** `"Http2Error"`. */
  override readonly name = "Http2Error";
  /** What RST_STREAM or GOAWAY say. */
  readonly code: ErrorCodeName;
  /** The stream that is lost; 0 if the connection is. */
  readonly streamId: number;

  /** A connection error unless `streamId` is given; the message holds nothing the peer chose. */
  constructor(
    code: ErrorCodeName,
    message: string,
    { streamId = 0, ...options }: ErrorOptions & { streamId?: number } = {},
  ) {
    super(message, options);
    this.code = code;
    this.streamId = streamId;
  }
}

/** The name of a code on the wire; unknown ones count as `internalError` (RFC 9113 §7). */
export function errorCodeName(code: number): ErrorCodeName {
  const names = Object.keys(ERROR_CODE) as ErrorCodeName[];
  return names.find((name) => ERROR_CODE[name] === code) ?? "internalError";
}
