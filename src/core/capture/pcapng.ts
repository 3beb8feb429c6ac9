/**
 * The capture file of Wireshark (draft-ietf-opsawg-pcapng): blocks of
 *
 * ```text
 * 4B  block type, see BLOCK
 * 4B  total length, a multiple of 4
 * nB  body
 * 4B  total length again
 * ```
 *
 * A section header starts a section, which has its own byte order and interfaces. Unknown blocks and options are skipped.
 *
 * @module
 */
import { DecodeError } from "../bytes/mod.ts";
import { type CapturedPacket, MAX_PACKET_BYTES } from "./pcap.ts";

const BLOCK = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  packet: 2, // obsolete
  simplePacket: 3,
  enhancedPacket: 6,
} as const;

const OPTION_TIME_RESOLUTION = 9;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const MAX_INTERFACES = 1_024;

interface Interface {
  readonly linkType: number;
  readonly ticksPerMs: number;
}

/** Whether `file` starts as a pcapng file does. */
export function isPcapng(file: Uint8Array): boolean {
  return file.length >= 12 && viewOf(file).getUint32(0) === BLOCK.sectionHeader;
}

/**
 * The packets of `file`; a block that is cut off at its end is left out, of which `onTruncated` is told.
 *
 * @throws {DecodeError} If a block's lengths contradict each other, a packet names no interface, or a section has more than
 * 1,024 interfaces.
 */
export function* readPcapng(
  file: Uint8Array,
  onTruncated: () => void,
): Generator<CapturedPacket> {
  let interfaces: Interface[] = [];
  let little = false;
  let number = 0;
  for (let at = 0; at < file.length;) {
    if (at + 12 > file.length) return onTruncated();
    const head = viewOf(file.subarray(at, at + 12));
    if (head.getUint32(0) === BLOCK.sectionHeader) {
      little = head.getUint32(8, true) === BYTE_ORDER_MAGIC;
      if (!little && head.getUint32(8) !== BYTE_ORDER_MAGIC) {
        throw new DecodeError("pcapng", "unknown byte order");
      }
      interfaces = [];
    } else if (at === 0) throw new DecodeError("pcapng", "no section header");
    const length = head.getUint32(4, little);
    if (length < 12 || length % 4 !== 0) {
      throw new DecodeError("pcapng", `block of ${length} bytes`);
    }
    if (at + length > file.length) return onTruncated();
    const block = file.subarray(at, at += length);
    if (viewOf(block).getUint32(length - 4, little) !== length) {
      throw new DecodeError("pcapng", "block lengths differ");
    }
    const type = head.getUint32(0, little);
    const body = block.subarray(8, -4);
    if (type === BLOCK.interfaceDescription) {
      if (interfaces.length >= MAX_INTERFACES) {
        throw new DecodeError("pcapng", "too many interfaces");
      }
      interfaces.push(readInterface(body, little));
    } else if (type === BLOCK.enhancedPacket) {
      yield { number: ++number, ...timedPacket(body, little, interfaces, 4) };
    } else if (type === BLOCK.packet) {
      yield { number: ++number, ...timedPacket(body, little, interfaces, 2) };
    } else if (type === BLOCK.simplePacket) {
      yield { number: ++number, ...simplePacket(body, little, interfaces) };
    }
  }
}

function readInterface(body: Uint8Array, little: boolean): Interface {
  const view = atLeast(8, body);
  let ticksPerMs = 1e3;
  for (let at = 8; at + 4 <= body.length;) {
    const [code, length] = [
      view.getUint16(at, little),
      view.getUint16(at + 2, little),
    ];
    at += 4;
    if (code === 0) break;
    if (code === OPTION_TIME_RESOLUTION && length === 1 && at < body.length) {
      const resolution = view.getUint8(at);
      ticksPerMs = (resolution & 0x80 ? 2 : 10) ** (resolution & 0x7f) / 1e3;
    }
    at += length + 3 & ~3;
  }
  return { linkType: view.getUint16(0, little), ticksPerMs };
}

/** An enhanced packet, or an obsolete one, whose interface has 2 bytes instead of 4 before those that count drops. */
function timedPacket(
  body: Uint8Array,
  little: boolean,
  interfaces: readonly Interface[],
  idBytes: 2 | 4,
): Omit<CapturedPacket, "number"> {
  const view = atLeast(20, body);
  const { linkType, ticksPerMs } = interfaceOf(
    interfaces,
    idBytes === 2 ? view.getUint16(0, little) : view.getUint32(0, little),
  );
  const ticks = view.getUint32(4, little) * 2 ** 32 + view.getUint32(8, little);
  const length = view.getUint32(12, little);
  return {
    linkType,
    timestampMs: ticks / ticksPerMs,
    data: kept(body.subarray(20), length),
  };
}

function simplePacket(
  body: Uint8Array,
  little: boolean,
  interfaces: readonly Interface[],
): Omit<CapturedPacket, "number"> {
  const length = atLeast(4, body).getUint32(0, little);
  const { linkType } = interfaceOf(interfaces, 0);
  const data = body.subarray(4);
  return {
    linkType,
    timestampMs: undefined,
    data: kept(data, Math.min(length, data.length)),
  };
}

function interfaceOf(interfaces: readonly Interface[], id: number): Interface {
  const found = interfaces[id];
  if (!found) throw new DecodeError("pcapng", "packet of no interface");
  return found;
}

function kept(data: Uint8Array, length: number): Uint8Array {
  if (length > data.length || length > MAX_PACKET_BYTES) {
    throw new DecodeError("pcapng", `packet of ${length} bytes`);
  }
  return data.subarray(0, length);
}

function atLeast(length: number, body: Uint8Array): DataView {
  if (body.length < length) throw new DecodeError("pcapng", "block too short");
  return viewOf(body);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
