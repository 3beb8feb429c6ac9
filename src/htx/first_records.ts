import { type Bytes, concat } from "../core/bytes/mod.ts";
import { FRAME_HEADER_LENGTH, PREFACE_LENGTH } from "../http2/mod.ts";
import type { Http2Habits } from "../utls/mod.ts";

/**
 * The first bytes on an HTTP/2 connection, cut as the browser of `habits` spreads them over TLS records.
 *
 * @param greeting Preface, SETTINGS and WINDOW_UPDATE.
 * @param headers The first request's HEADERS; empty if it waits, and then so is no record.
 */
export function firstRecords(
  habits: Pick<Http2Habits, "firstRecords">,
  greeting: Bytes,
  headers: Bytes,
): Bytes[] {
  const [high, middle, low] = greeting.subarray(PREFACE_LENGTH);
  const payloadLength = high! << 16 | middle! << 8 | low!;
  const settingsEnd = PREFACE_LENGTH + FRAME_HEADER_LENGTH + payloadLength;
  const parts = {
    preface: greeting.subarray(0, PREFACE_LENGTH),
    settings: greeting.subarray(PREFACE_LENGTH, settingsEnd),
    windowUpdate: greeting.subarray(settingsEnd),
    headers,
  };
  return habits.firstRecords
    .map((names) => concat(...names.map((name) => parts[name])))
    .filter(({ length }) => length > 0);
}
