import { concat, equal } from "../../core/bytes/mod.ts";
import {
  connectionPreface,
  decodeFrame,
  decodeHeaders,
  decodeSettings,
  decodeWindowUpdate,
  type Frame,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE,
  type HeaderField,
  HpackDecoder,
  PREFACE_LENGTH,
  type Setting,
} from "../../http2/mod.ts";
import {
  type FirstPart,
  type Http2Habits,
  parseHttp2Habits,
} from "../http2_habits.ts";
import { JsonPart } from "../json_part.ts";
import { type Navigation, parseNavigation } from "../navigation.ts";
import { constantOf, type LearnedStart, unexplained } from "./evidence.ts";

/** What a browser does with HTTP/2. */
export interface LearnedHttp2 {
  /** How it opens a connection. */
  readonly http2: Http2Habits;
  /** What it sends to open a page, with its own version in it. */
  readonly navigation: Navigation;
}

/** Most frames looked at before the first request. */
const MAX_FRAMES = 16;

/**
 * Infers how a browser opens HTTP/2 connections to load a page, from the start of some.
 *
 * @throws {UtlsError} `capture` if they differ in more than a GREASE setting, or are no start of HTTP/2; `profile` if they fit
 * no rule.
 * @throws {DecodeError} If a frame is malformed.
 */
export function learnHttp2(starts: readonly LearnedStart[]): LearnedHttp2 {
  const learned = starts.map(learnStart);
  const { http2, fields } = constantOf(
    "how HTTP/2 starts",
    learned,
    (each) => JSON.stringify(each),
  );
  return {
    http2: parseHttp2Habits(new JsonPart(http2, "http2")),
    navigation: parseNavigation(new JsonPart({ fields }, "navigation")),
  };
}

interface PlacedFrame {
  readonly frame: Frame;
  /** Number of the record it starts in. */
  readonly record: number;
}

function learnStart(
  records: LearnedStart,
): { http2: Record<string, unknown>; fields: readonly HeaderField[] } {
  const frames = framesOf(records);
  const settings = theOne(frames, FRAME_TYPE.settings, "SETTINGS");
  const update = theOne(frames, FRAME_TYPE.windowUpdate, "WINDOW_UPDATE");
  const headers = theOne(frames, FRAME_TYPE.headers, "HEADERS");
  const { priority, fragment } = decodeHeaders(headers.frame);
  if (!priority || frames.length !== 3) throw unexplained("how HTTP/2 starts");
  const all: readonly Setting[] = decodeSettings(settings.frame.payload);
  const isGrease = ([identifier]: Setting) => (identifier & 0x0f0f) === 0x0a0a;
  const fields = new HpackDecoder().decode(fragment)
    .map(([name, value]): HeaderField => [name, value]);
  const isPseudo = ([name]: HeaderField) => name.startsWith(":");
  return {
    http2: {
      settings: all.filter((setting) => !isGrease(setting)),
      greaseSetting: all.some(isGrease),
      windowIncrement: decodeWindowUpdate(update.frame.payload),
      priority,
      pseudoOrder: fields.filter(isPseudo).map(([name]) => name),
      firstRecords: recordsOf(settings, update, headers),
    },
    fields: fields.filter((field) => !isPseudo(field)),
  };
}

/** The frames up to the first HEADERS, which must hold its block whole. */
function framesOf(records: LearnedStart): PlacedFrame[] {
  const bytes = concat(...records);
  if (!equal(bytes.subarray(0, PREFACE_LENGTH), connectionPreface())) {
    throw unexplained("a start without HTTP/2's preface");
  }
  const frames: PlacedFrame[] = [];
  let at = PREFACE_LENGTH;
  while (frames.length < MAX_FRAMES) {
    const frame = decodeFrame(bytes.subarray(at));
    if (!frame) break;
    frames.push({ frame, record: recordAt(records, at) });
    if (frame.type === FRAME_TYPE.headers) return frames;
    at += FRAME_HEADER_LENGTH + frame.payload.length;
  }
  throw unexplained("a start without HEADERS");
}

function recordAt(records: LearnedStart, offset: number): number {
  let end = 0;
  return records.findIndex(({ length }) => (end += length) > offset);
}

function theOne(
  frames: readonly PlacedFrame[],
  type: number,
  name: string,
): PlacedFrame {
  const [found, ...more] = frames.filter(({ frame }) => frame.type === type);
  if (!found || more.length > 0) {
    throw unexplained(`${more.length + (found ? 1 : 0)} frames ${name}`);
  }
  return found;
}

/** Which parts start in which record. */
function recordsOf(
  settings: PlacedFrame,
  update: PlacedFrame,
  headers: PlacedFrame,
): FirstPart[][] {
  const parts: [FirstPart, number][] = [
    ["preface", 0],
    ["settings", settings.record],
    ["windowUpdate", update.record],
    ["headers", headers.record],
  ];
  const records = Map.groupBy(parts, ([, record]) => record);
  return [...records.values()].map((group) => group.map(([part]) => part));
}
