import { type Bytes, concat, Writer } from "../../src/core/bytes/mod.ts";

/** Link types of captures. */
export const LINK = { ethernet: 1, rawIp: 101 } as const;

/** A TCP segment to put into a capture. */
export interface Segment {
  readonly sequence: number;
  readonly payload: Uint8Array;
  readonly syn?: boolean;
  readonly sourcePort?: number;
}

/** A raw IPv4 packet with a TCP segment from 192.0.2.1 to port 443 of 198.51.100.1. */
export function tcpPacket(segment: Segment): Bytes {
  const { sequence, payload, syn = false, sourcePort = 50_000 } = segment;
  const tcp = new Writer().u16(sourcePort).u16(443).u32(sequence).u32(0)
    .u8(0x50).u8(syn ? 0x02 : 0x10).u16(65_535).u32(0).put(payload).finish();
  return ipv4(6, tcp);
}

/** A raw IPv4 packet with a UDP datagram to port 443 or, `reversed`, from there. */
export function udpPacket(payload: Uint8Array, reversed = false): Bytes {
  const [source, destination] = reversed ? [443, 50_000] : [50_000, 443];
  const udp = new Writer().u16(source).u16(destination)
    .u16(8 + payload.length).u16(0).put(payload).finish();
  return ipv4(17, udp, reversed);
}

/** A raw IPv4 packet. */
export function ipv4(
  protocol: number,
  payload: Uint8Array,
  reversed = false,
): Bytes {
  const ends = [
    Uint8Array.of(192, 0, 2, 1),
    Uint8Array.of(198, 51, 100, 1),
  ];
  if (reversed) ends.reverse();
  return new Writer().u16(0x4500).u16(20 + payload.length).u32(0).u8(64)
    .u8(protocol).u16(0).put(concat(...ends)).put(payload).finish();
}

/** How a capture file is written. */
export interface FileOptions {
  readonly linkType?: number;
  readonly little?: boolean;
  readonly nanoseconds?: boolean;
}

/** When every packet of a test's capture was seen, in milliseconds since 1970. */
export const SEEN_AT_MS = 1_700_000_000_123;

/** A pcap file of `packets`. */
export function pcap(
  packets: readonly Uint8Array[],
  { linkType = LINK.rawIp, little = true, nanoseconds = false }: FileOptions =
    {},
): Bytes {
  const n = numbers(little);
  const magic = nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  const parts: Uint8Array[] = [
    n.u32(magic),
    n.u16(2),
    n.u16(4),
    n.u32(0),
    n.u32(0),
  ];
  parts.push(n.u32(65_535), n.u32(linkType));
  for (const packet of packets) {
    const ticks = SEEN_AT_MS % 1000 * (nanoseconds ? 1e6 : 1e3);
    parts.push(n.u32(Math.floor(SEEN_AT_MS / 1000)), n.u32(ticks));
    parts.push(n.u32(packet.length), n.u32(packet.length), packet);
  }
  return concat(...parts);
}

/** A pcapng file of `packets`, with an option of the interface and a block that readers must skip. */
export function pcapng(
  packets: readonly Uint8Array[],
  { linkType = LINK.rawIp, little = true, nanoseconds = false }: FileOptions =
    {},
): Bytes {
  const n = numbers(little);
  const resolution = concat(
    n.u16(9),
    n.u16(1),
    Uint8Array.of(nanoseconds ? 9 : 6, 0, 0, 0),
  );
  const blocks = [
    n.block(0x0a0d0d0a, n.u32(0x1a2b3c4d), n.u32(1), n.u32(~0), n.u32(~0)),
    n.block(1, n.u16(linkType), n.u16(0), n.u32(0), resolution, n.u32(0)),
    n.block(0xbad, n.u32(1)),
  ];
  const ticks = SEEN_AT_MS * (nanoseconds ? 1e6 : 1e3);
  for (const packet of packets) {
    blocks.push(n.block(
      6,
      n.u32(0),
      n.u32(Math.floor(ticks / 2 ** 32)),
      n.u32(ticks % 2 ** 32),
      n.u32(packet.length),
      n.u32(packet.length),
      packet,
    ));
  }
  return concat(...blocks);
}

/** A pcapng file of simple packet blocks, which have no time. */
export function pcapngOfSimplePackets(packets: readonly Uint8Array[]): Bytes {
  const n = numbers(true);
  return concat(
    n.block(0x0a0d0d0a, n.u32(0x1a2b3c4d), n.u32(1), n.u32(~0), n.u32(~0)),
    n.block(1, n.u16(LINK.rawIp), n.u16(0), n.u32(0)),
    ...packets.map((packet) => n.block(3, n.u32(packet.length), packet)),
  );
}

function numbers(little: boolean) {
  const write = (length: number, value: number) => {
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    if (length === 2) view.setUint16(0, value, little);
    else view.setUint32(0, value, little);
    return bytes;
  };
  const u16 = (value: number) => write(2, value);
  const u32 = (value: number) => write(4, value);
  const block = (type: number, ...parts: readonly Uint8Array[]) => {
    const body = concat(...parts);
    const padding = new Uint8Array(-body.length & 3);
    const length = u32(12 + body.length + padding.length);
    return concat(u32(type), length, body, padding, length);
  };
  return { u16, u32, block };
}
