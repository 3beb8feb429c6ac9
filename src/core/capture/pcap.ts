/**
 * The classic capture file (draft-ietf-opsawg-pcap), in either byte order.
 *
 * ```text
 * 4B  magic, 0xa1b2c3d4 with times in microseconds or 0xa1b23c4d in nanoseconds
 * 4B  version
 * 8B  unused
 * 4B  longest packet kept
 * 4B  link type in the low 16 bits
 * then for each packet:
 * 4B  seconds since 1970
 * 4B  parts of a second
 * 4B  length of what was kept
 * 4B  length on the wire
 * nB  what was kept
 * ```
 *
 * @module
 */
import { DecodeError } from "../bytes/mod.ts";

/** One packet of a capture file. */
export interface CapturedPacket {
  /** Its place in the file, from 1, as Wireshark counts. */
  readonly number: number;
  /** When it was seen, in milliseconds since 1970; `undefined` if the file does not say. */
  readonly timestampMs: number | undefined;
  /** What its first byte belongs to (tcpdump.org's LINKTYPE_ numbers). */
  readonly linkType: number;
  /** What was kept of it, a view of the file. */
  readonly data: Uint8Array;
}

/** Most bytes a packet may have; tcpdump's own limit. */
export const MAX_PACKET_BYTES = 262_144;

const MAGIC_US = 0xa1b2c3d4;
const MAGIC_NS = 0xa1b23c4d;
const FILE_HEADER_LENGTH = 24;
const PACKET_HEADER_LENGTH = 16;

/** Whether `file` starts as a classic capture file does. */
export function isPcap(file: Uint8Array): boolean {
  return file.length >= 4 && byteOrder(file) !== undefined;
}

/**
 * The packets of `file`; one that is cut off at its end is left out, of which `onTruncated` is told.
 *
 * @throws {DecodeError} If the file header is cut short or unknown, or a packet claims more than {@link MAX_PACKET_BYTES}.
 */
export function* readPcap(
  file: Uint8Array,
  onTruncated: () => void,
): Generator<CapturedPacket> {
  const little = file.length < FILE_HEADER_LENGTH ? undefined : byteOrder(file);
  if (little === undefined) throw new DecodeError("pcap", "no file header");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const ticksPerMs = view.getUint32(0, little) === MAGIC_NS ? 1e6 : 1e3;
  const linkType = view.getUint32(20, little) & 0xffff;
  let at = FILE_HEADER_LENGTH;
  for (let number = 1; at < file.length; number++) {
    if (at + PACKET_HEADER_LENGTH > file.length) return onTruncated();
    const seconds = view.getUint32(at, little);
    const ticks = view.getUint32(at + 4, little);
    const length = view.getUint32(at + 8, little);
    if (length > MAX_PACKET_BYTES) {
      throw new DecodeError("pcap", `packet ${number} of ${length} bytes`);
    }
    at += PACKET_HEADER_LENGTH;
    if (at + length > file.length) return onTruncated();
    yield {
      number,
      timestampMs: seconds * 1000 + ticks / ticksPerMs,
      linkType,
      data: file.subarray(at, at += length),
    };
  }
}

/** Whether numbers have their low byte first; `undefined` if `file` is of another kind. */
function byteOrder(file: Uint8Array): boolean | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return [true, false].find((little) =>
    [MAGIC_US, MAGIC_NS].includes(view.getUint32(0, little))
  );
}
