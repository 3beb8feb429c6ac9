/**
 * Administrative records, and the one that RFC 9171 §6.1.1 defines.
 *
 * ```text
 * [1, [[received, forwarded, delivered, deleted], reason, source, [creation time, sequence] ‖ fragment offset, its length]]
 * each of the four: [false], [true], or [true, DTN time in ms]
 * ```
 *
 * @module
 */
import type { Bytes } from "../../core/bytes/mod.ts";
import { type Bundle, payloadOf } from "./bundle.ts";
import { CborBuffer } from "./cbor_buffer.ts";
import { CborCursor } from "./cbor_cursor.ts";
import type { Eid } from "./eid.ts";
import { eidSize, readEid, writeEid } from "./eid_codec.ts";
import { BundleError } from "./error.ts";
import {
  type CreationTimestamp,
  readCreationTimestamp,
} from "./primary_block.ts";
import type { BundleOptions } from "./quirk.ts";
import type { Uint } from "./uint.ts";

/** Types of administrative records (RFC 9171 §9.3). */
export const ADMIN_RECORD_TYPE = { statusReport: 1 } as const;

/** Why a node did to a bundle what it reports (RFC 9171 §9.5, RFC 9172 §11.2). */
export const REPORT_REASON = {
  noInformation: 0,
  lifetimeExpired: 1,
  unidirectionalLink: 2,
  transmissionCanceled: 3,
  depletedStorage: 4,
  destinationUnavailable: 5,
  noRoute: 6,
  noTimelyContact: 7,
  blockUnintelligible: 8,
  hopLimitExceeded: 9,
  trafficPared: 10,
  blockUnsupported: 11,
  missingSecurity: 12,
  unknownSecurity: 13,
  unexpectedSecurity: 14,
  failedSecurity: 15,
  conflictingSecurity: 16,
} as const;

/** What a node may report of a bundle, in the order of the record. */
export const STATUSES = [
  "received",
  "forwarded",
  "delivered",
  "deleted",
] as const;
/** One of {@link STATUSES}. */
export type Status = typeof STATUSES[number];

/** A bundle status report. */
export interface StatusReport {
  /** What happened: `true`, or when, in DTN time in milliseconds. */
  readonly statuses: Readonly<Partial<Record<Status, true | Uint>>>;
  /** {@link REPORT_REASON} or another number. */
  readonly reason: number;
  /** Who made the bundle. */
  readonly source: Eid;
  /** When the bundle was made. */
  readonly creation: CreationTimestamp;
  /** Which part of the payload, if the bundle is a fragment. */
  readonly fragment?: { readonly offset: number; readonly length: number };
}

/** Most bytes of a report without its source. */
const MAX_BYTES_BESIDE_SOURCE = 112;

/** What to report of `bundle`: `statuses` for `reason`. */
export function statusReportOn(
  bundle: Bundle,
  statuses: StatusReport["statuses"],
  reason: number,
): StatusReport {
  const { source, creation, fragment } = bundle.primary;
  const report = { statuses, reason, source, creation };
  if (fragment === undefined) return report;
  const length = payloadOf(bundle).length;
  return { ...report, fragment: { offset: fragment.offset, length } };
}

/** The payload of a bundle that carries `report`, with the flag `adminRecord`. */
export function encodeStatusReport(report: StatusReport): Bytes {
  const { creation, fragment } = report;
  const buffer = new CborBuffer(
    MAX_BYTES_BESIDE_SOURCE + eidSize(report.source),
  );
  buffer.array(2);
  buffer.uint(ADMIN_RECORD_TYPE.statusReport);
  buffer.array(fragment ? 6 : 4);
  buffer.array(STATUSES.length);
  for (const status of STATUSES) {
    const value = report.statuses[status];
    const hasTime = value !== undefined && value !== true;
    buffer.array(hasTime ? 2 : 1);
    buffer.boolean(value !== undefined);
    if (hasTime) buffer.uint(value);
  }
  buffer.uint(report.reason);
  writeEid(buffer, report.source);
  buffer.array(2);
  buffer.uint(creation.timeMs);
  buffer.uint(creation.sequence);
  if (fragment) {
    buffer.uint(fragment.offset);
    buffer.uint(fragment.length);
  }
  return buffer.bytes.slice(0, buffer.at);
}

/**
 * The type of the administrative record that `payload` holds.
 *
 * @throws {BundleError} `admin_record` if it holds none.
 */
export function adminRecordType(payload: Uint8Array): number {
  return read(payload, {}, readType);
}

/**
 * The status report that `payload` holds.
 *
 * @throws {BundleError} `admin_record` if it holds none.
 */
export function decodeStatusReport(
  payload: Uint8Array,
  options: BundleOptions = {},
): StatusReport {
  return read(payload, options, (cursor) => {
    if (readType(cursor) !== ADMIN_RECORD_TYPE.statusReport) {
      throw new BundleError("admin_record", "Not a status report");
    }
    const report = readStatusReport(cursor);
    cursor.end();
    return report;
  });
}

function readType(cursor: CborCursor): number {
  if (cursor.array() !== 2) {
    throw new BundleError("admin_record", "A record has two items");
  }
  return cursor.uint();
}

function readStatusReport(cursor: CborCursor): StatusReport {
  const count = cursor.array();
  if ((count !== 4 && count !== 6) || cursor.array() !== STATUSES.length) {
    throw new BundleError("admin_record", "Malformed status report");
  }
  const statuses: Partial<Record<Status, true | Uint>> = {};
  for (const status of STATUSES) {
    const value = readStatus(cursor);
    if (value !== undefined) statuses[status] = value;
  }
  const report = {
    statuses,
    reason: cursor.uint(),
    source: readEid(cursor),
    creation: readCreationTimestamp(cursor),
  };
  if (count === 4) return report;
  const fragment = { offset: cursor.uint(), length: cursor.uint() };
  return { ...report, fragment };
}

function readStatus(cursor: CborCursor): true | Uint | undefined {
  const count = cursor.array();
  const happened = cursor.boolean();
  if (count === 1) return happened || undefined;
  if (count !== 2 || !happened) {
    throw new BundleError("admin_record", "Malformed status");
  }
  return cursor.wideUint();
}

function read<T>(
  payload: Uint8Array,
  { quirks }: BundleOptions,
  from: (cursor: CborCursor) => T,
): T {
  try {
    return from(new CborCursor(payload, quirks));
  } catch (cause) {
    if (!(cause instanceof BundleError) || cause.code === "admin_record") {
      throw cause;
    }
    throw new BundleError("admin_record", "Malformed administrative record", {
      cause,
    });
  }
}
