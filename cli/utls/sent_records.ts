import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { decodeClientHello, kindOf } from "../../src/utls/mod.ts";
import type { CapturedHello } from "./capture_hellos.ts";

/** A TLS record as sent. */
interface SentRecord {
  readonly type: number;
  readonly version: number;
  readonly payload: Uint8Array;
}

const HEADER_LENGTH = 5;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;

/** Bytes that TLS 1.3 adds to a record without padding: the content type and the tag. */
const SEAL_LENGTH = 17;

/**
 * The hellos at the start of what a client sent: one, or after a HelloRetryRequest two.
 *
 * @throws {DecodeError} If one is malformed.
 */
export function sentHellos(sent: Uint8Array): CapturedHello[] {
  return [...recordsOf(sent)].filter(({ type }) => type === HANDSHAKE)
    .map(({ version, payload }, i) => {
      const hello = decodeClientHello(payload);
      const kind = i === 0 ? kindOf(hello) : "retry";
      return { kind, recordVersion: version, hello };
    });
}

/** Splits the data that a client sent as it was split into records, behind that of its Finished. */
export function splitAsSent(data: Uint8Array, sent: Uint8Array): Bytes[] {
  const [, ...records] = [...recordsOf(sent)]
    .filter(({ type }) => type === APPLICATION_DATA);
  const parts: Bytes[] = [];
  let at = 0;
  for (const { payload } of records) {
    if (at >= data.length) break;
    parts.push(concat(data.subarray(at, at += payload.length - SEAL_LENGTH)));
  }
  return parts;
}

function* recordsOf(sent: Uint8Array): Generator<SentRecord> {
  const view = new DataView(sent.buffer, sent.byteOffset, sent.length);
  for (let at = 0; at + HEADER_LENGTH <= sent.length;) {
    const end = at + HEADER_LENGTH + view.getUint16(at + 3);
    if (end > sent.length) return;
    yield {
      type: sent[at]!,
      version: view.getUint16(at + 1),
      payload: sent.subarray(at + HEADER_LENGTH, end),
    };
    at = end;
  }
}
