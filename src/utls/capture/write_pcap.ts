import { type Bytes, concat, parseIp, Writer } from "../../core/bytes/mod.ts";
import type { Endpoint } from "../../core/capture/mod.ts";

/** What a client sent over one TCP connection. */
export interface ClientStream {
  /** The client's end; its address is IPv4. */
  readonly source: Endpoint;
  /** The server's end; its address is IPv4. */
  readonly destination: Endpoint;
  /** When it connected, in milliseconds since 1970. */
  readonly timestampMs: number;
  /** The bytes. */
  readonly bytes: Uint8Array;
}

const MAX_SEGMENT_BYTES = 1_460;
const MAX_PACKET_BYTES = 65_535;
const LINK_RAW_IP = 101;
const IP_HEADER_LENGTH = 20;
const TCP_HEADER_LENGTH = 20;
const TCP_PROTOCOL = 6;
const SYN = 0x02;
const PUSH = 0x08;
const ACK = 0x10;

/**
 * A pcap file of raw IPv4 packets: for each of `streams` a TCP handshake and then its bytes, in segments of at most 1,460.
 *
 * @throws {RangeError} If an address is not IPv4, or a port or time out of range.
 */
export function writePcap(streams: readonly ClientStream[]): Bytes {
  const w = new Writer(4_096);
  w.u32(0xa1b2c3d4).u16(2).u16(4).u32(0).u32(0);
  w.u32(MAX_PACKET_BYTES).u32(LINK_RAW_IP);
  for (const stream of streams) {
    const ms = stream.timestampMs;
    for (const packet of packetsOf(stream)) {
      w.u32(Math.floor(ms / 1000)).u32(Math.floor(ms % 1000 * 1000));
      w.u32(packet.length).u32(packet.length).put(packet);
    }
  }
  return w.finish();
}

function* packetsOf(
  { source, destination, bytes }: ClientStream,
): Generator<Bytes> {
  const up = { from: source, to: destination };
  const none = new Uint8Array(0);
  yield packet({ ...up, sequence: 0, acknowledged: 0, flags: SYN }, none);
  const answer = { from: destination, to: source, sequence: 0 };
  yield packet({ ...answer, acknowledged: 1, flags: SYN | ACK }, none);
  yield packet({ ...up, sequence: 1, acknowledged: 1, flags: ACK }, none);
  for (let at = 0; at < bytes.length; at += MAX_SEGMENT_BYTES) {
    const head = { ...up, sequence: 1 + at, acknowledged: 1 };
    const segment = bytes.subarray(at, at + MAX_SEGMENT_BYTES);
    yield packet({ ...head, flags: PUSH | ACK }, segment);
  }
}

interface Head {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly sequence: number;
  readonly acknowledged: number;
  readonly flags: number;
}

function packet(head: Head, payload: Uint8Array): Bytes {
  const addresses = concat(ipv4(head.from.address), ipv4(head.to.address));
  const tcp = (checksum: number) =>
    new Writer().u16(head.from.port).u16(head.to.port).u32(head.sequence)
      .u32(head.acknowledged).u8(TCP_HEADER_LENGTH / 4 << 4).u8(head.flags)
      .u16(65_535).u16(checksum).u16(0).put(payload).finish();
  const length = TCP_HEADER_LENGTH + payload.length;
  const pseudo = new Writer().put(addresses).u16(TCP_PROTOCOL).u16(length);
  const segment = tcp(checksumOf(concat(pseudo.finish(), tcp(0))));
  const ip = (checksum: number) =>
    new Writer().u16(0x4500).u16(IP_HEADER_LENGTH + length).u16(0).u16(0x4000)
      .u8(64).u8(TCP_PROTOCOL).u16(checksum).put(addresses).finish();
  return concat(ip(checksumOf(ip(0))), segment);
}

/** The Internet checksum (RFC 1071). */
function checksumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i]! << 8 | (bytes[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function ipv4(address: string): Bytes {
  const bytes = parseIp(address);
  if (bytes?.length !== 4) throw new RangeError("Address must be IPv4");
  return bytes;
}
