import type { HeaderField } from "./hpack_table.ts";
import type { ErrorCodeName, Http2Error } from "./http2_error.ts";
import type { Setting } from "./settings.ts";

/** The peer's SETTINGS, in the order sent. */
export interface SettingsEvent {
  /** What it is. */
  readonly type: "settings";
  /** As on the wire. */
  readonly settings: readonly Setting[];
}

/** A request, a response, a 1xx before it, or trailers. */
export interface HeadersEvent {
  /** What it is. */
  readonly type: "headers";
  /** Its stream. */
  readonly streamId: number;
  /** In the order sent, pseudo-fields first. */
  readonly fields: readonly HeaderField[];
  /** Whether the peer's side ends with it. */
  readonly endStream: boolean;
}

/** Content. Its length is to be given to `Http2Connection.consume`, whatever became of the stream. */
export interface DataEvent {
  /** What it is. */
  readonly type: "data";
  /** Its stream. */
  readonly streamId: number;
  /** A view of what was received. */
  readonly data: Uint8Array;
  /** Whether the peer's side ends with it. */
  readonly endStream: boolean;
}

/** A stream that ended early. */
export interface ResetEvent {
  /** What it is. */
  readonly type: "reset";
  /** The stream. */
  readonly streamId: number;
  /** Why. */
  readonly code: ErrorCodeName;
  /** What the peer did there, if it was us who have reset it. */
  readonly error?: Http2Error;
}

/** The answer to a PING of ours. */
export interface PongEvent {
  /** What it is. */
  readonly type: "pong";
  /** The 8 bytes of the PING. */
  readonly data: Uint8Array;
}

/** The peer takes no more streams; a `reset` follows for each of ours above `lastStreamId`. */
export interface GoAwayEvent {
  /** What it is. */
  readonly type: "goAway";
  /** The last stream it has dealt with, or may yet. */
  readonly lastStreamId: number;
  /** Why. */
  readonly code: ErrorCodeName;
}

/** The peer broke the connection: our GOAWAY is to be sent, and nothing is received any more. */
export interface FailedEvent {
  /** What it is. */
  readonly type: "failed";
  /** What it did. */
  readonly error: Http2Error;
}

/** What came of received bytes. */
export type Http2Event =
  | SettingsEvent
  | HeadersEvent
  | DataEvent
  | ResetEvent
  | PongEvent
  | GoAwayEvent
  | FailedEvent;
