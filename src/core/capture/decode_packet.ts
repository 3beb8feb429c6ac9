/**
 * From the link layer to the payload of TCP and UDP: Ethernet with VLAN tags, Linux cooked capture, loopback and raw IP;
 * IPv4, and IPv6 with extension headers. Tunnels and fragments are not followed.
 *
 * @module
 */
import { DecodeError, Reader } from "../bytes/mod.ts";
import type { CapturedPacket } from "./pcap.ts";

/** What TCP or UDP carries in one packet; its arrays view the capture. */
export interface TransportPacket {
  /** IP protocol number: 6 is TCP, 17 UDP. */
  readonly protocol: 6 | 17;
  /** The sender's address, 4 or 16 bytes. */
  readonly source: Uint8Array;
  /** The receiver's address, of the same length. */
  readonly destination: Uint8Array;
  /** The sender's port. */
  readonly sourcePort: number;
  /** The receiver's port. */
  readonly destinationPort: number;
  /** What follows the TCP or UDP header. */
  readonly payload: Uint8Array;
  /** TCP: sequence number of the first byte of the payload, or of the SYN. */
  readonly sequence: number;
  /** TCP: whether it opens a connection. */
  readonly syn: boolean;
}

/** Why a packet carries nothing for us. */
export type NoTransport =
  | "link" // a link type that is not read
  | "protocol" // not TCP or UDP over IP
  | "fragment"; // a part of an IP packet

/** IP protocol numbers. */
export const IP_PROTOCOL = { tcp: 6, udp: 17 } as const;

const ETHERTYPE = { ipv4: 0x0800, ipv6: 0x86dd, vlan: 0x8100, qinq: 0x88a8 };
const MAX_VLAN_TAGS = 4;
const MAX_IPV6_EXTENSIONS = 8;

/** LINKTYPE_ numbers. */
const LINK = {
  loopback: 0, // BSD: 4 bytes of address family in the sender's byte order
  ethernet: 1,
  rawOld: [12, 14], // raw IP on some BSDs
  raw: 101,
  openBsdLoopback: 108, // the family in network byte order
  cooked: 113, // Linux "any"
  ipv4: 228,
  ipv6: 229,
  cooked2: 276,
};

/**
 * What `packet` carries, or why it carries nothing for us.
 *
 * @throws {DecodeError} If a header is malformed, or the packet was cut before its end.
 */
export function decodePacket(
  { linkType, data }: CapturedPacket,
): TransportPacket | NoTransport {
  const r = new Reader(data, "packet");
  const type = networkType(linkType, r);
  if (type === undefined) return "link";
  if (type === ETHERTYPE.ipv4) return decodeIpv4(r);
  return type === ETHERTYPE.ipv6 ? decodeIpv6(r) : "protocol";
}

/** Reads the link layer's header and returns the EtherType of what follows. */
function networkType(linkType: number, r: Reader): number | undefined {
  switch (linkType) {
    case LINK.ethernet:
      r.take(12);
      return untagged(r);
    case LINK.cooked:
      r.take(14);
      return untagged(r);
    case LINK.cooked2: {
      const type = r.u16();
      r.take(18);
      return type;
    }
    case LINK.loopback:
    case LINK.openBsdLoopback:
      r.take(4);
      return rawType(r);
    case LINK.raw:
    case LINK.rawOld[0]:
    case LINK.rawOld[1]:
    case LINK.ipv4:
    case LINK.ipv6:
      return rawType(r);
  }
  return undefined;
}

function untagged(r: Reader): number {
  let type = r.u16();
  for (let tags = 0; tags < MAX_VLAN_TAGS; tags++) {
    if (type !== ETHERTYPE.vlan && type !== ETHERTYPE.qinq) break;
    r.take(2);
    type = r.u16();
  }
  return type;
}

/** The EtherType that the version of an IP header stands for. */
function rawType(r: Reader): number {
  const version = r.peek() >> 4;
  if (version === 4) return ETHERTYPE.ipv4;
  return version === 6 ? ETHERTYPE.ipv6 : 0;
}

function decodeIpv4(r: Reader): TransportPacket | NoTransport {
  const first = r.u8();
  const headerLength = (first & 0x0f) * 4;
  if (first >> 4 !== 4 || headerLength < 20) {
    throw new DecodeError(r.what, "no IPv4 header");
  }
  r.u8();
  const totalLength = r.u16();
  r.take(2);
  const fragment = r.u16();
  r.u8();
  const protocol = r.u8();
  r.take(2);
  const [source, destination] = [r.take(4), r.take(4)];
  r.take(headerLength - 20);
  if ((fragment & 0x3fff) !== 0) return "fragment";
  // 0 where the network card was to fill it in
  const end = totalLength === 0 ? r.remaining : totalLength - headerLength;
  return decodeTransport(r.sub(end), protocol, source, destination);
}

function decodeIpv6(r: Reader): TransportPacket | NoTransport {
  if (r.u32() >>> 28 !== 6) throw new DecodeError(r.what, "no IPv6 header");
  const length = r.u16();
  let protocol = r.u8();
  r.u8();
  const [source, destination] = [r.take(16), r.take(16)];
  const body = r.sub(length === 0 ? r.remaining : length);
  for (let headers = 0; headers < MAX_IPV6_EXTENSIONS; headers++) {
    const units = IPV6_EXTENSION[protocol];
    if (units === undefined) break;
    const next = body.u8();
    const extension = body.sub(units(body.u8()) - 2);
    if (protocol === IPV6_FRAGMENT && (extension.u16() & 0xfff9) !== 0) {
      return "fragment";
    }
    protocol = next;
  }
  return decodeTransport(body, protocol, source, destination);
}

const IPV6_FRAGMENT = 44;

/** Bytes of an IPv6 extension header by its number, from its second byte (RFC 8200 §4, RFC 4302 §2.2). */
const IPV6_EXTENSION: Readonly<Record<number, (length: number) => number>> = {
  0: (length) => 8 + 8 * length, // hop by hop
  43: (length) => 8 + 8 * length, // routing
  [IPV6_FRAGMENT]: () => 8,
  51: (length) => 8 + 4 * length, // authentication
  60: (length) => 8 + 8 * length, // destination
};

function decodeTransport(
  r: Reader,
  protocol: number,
  source: Uint8Array,
  destination: Uint8Array,
): TransportPacket | NoTransport {
  if (protocol === IP_PROTOCOL.udp) {
    const ports = { sourcePort: r.u16(), destinationPort: r.u16() };
    const length = r.u16();
    r.take(2);
    const payload = length === 0 ? r.rest() : r.take(length - 8);
    const udp = { protocol: IP_PROTOCOL.udp, sequence: 0, syn: false };
    return { ...udp, source, destination, ...ports, payload };
  }
  if (protocol !== IP_PROTOCOL.tcp) return "protocol";
  const ports = { sourcePort: r.u16(), destinationPort: r.u16() };
  const sequence = r.u32();
  r.take(4);
  const headerLength = (r.u8() >> 4) * 4;
  const syn = (r.u8() & 0x02) !== 0;
  r.take(6);
  r.take(headerLength - 20);
  const tcp = { protocol: IP_PROTOCOL.tcp, sequence, syn };
  return { ...tcp, source, destination, ...ports, payload: r.rest() };
}
