import { parseIp } from "../../core/bytes/mod.ts";

/** Whether anybody may hold an address, an organisation for itself, or nobody that one should connect to. */
export type AddressKind = "public" | "private" | "reserved";

/** A block of IP addresses. */
export class Network {
  readonly #bytes: Uint8Array;
  readonly #bits: number;

  /** The addresses whose first `bits` bits are those of `bytes`. */
  constructor(bytes: Uint8Array, bits: number) {
    this.#bytes = bytes;
    this.#bits = bits;
  }

  /** The network that an address or `address/bits` names; `undefined` if it is neither or has host bits set. */
  static parse(text: string): Network | undefined {
    const match = text.match(/^([^/]+)(?:\/(0|[1-9][0-9]{0,2}))?$/);
    const bytes = match ? parseIp(match[1]!) : undefined;
    if (!match || !bytes) return undefined;
    if (match[2] !== undefined && bytes.length === 4 && text.includes(":")) {
      return undefined; // the length counts bits of the IPv4-mapped form
    }
    const bits = match[2] === undefined ? 8 * bytes.length : Number(match[2]);
    if (bits > 8 * bytes.length) return undefined;
    const hostBits = bytes.some((byte, i) => (byte & ~mask(bits, i)) !== 0);
    return hostBits ? undefined : new Network(bytes, bits);
  }

  /** Whether `ip`, 4 or 16 bytes, is in the network. */
  contains(ip: Uint8Array): boolean {
    return ip.length === this.#bytes.length &&
      this.#bytes.every((byte, i) => (ip[i]! & mask(this.#bits, i)) === byte);
  }

  /** The kind that all of its addresses are; `public` if they differ. */
  get kind(): AddressKind {
    const block = specialBlocks().find(({ network }) =>
      this.#isWithin(network)
    );
    return block?.kind ?? "public";
  }

  #isWithin(other: Network): boolean {
    return this.#bits >= other.#bits && other.contains(this.#bytes);
  }
}

/** The kind of one address of 4 or 16 bytes (IANA special-purpose registries, RFC 6890). */
export function classify(ip: Uint8Array): AddressKind {
  return new Network(ip, 8 * ip.length).kind;
}

/** Blocks that are not public, the narrower before the wider. */
const SPECIAL: readonly (readonly [text: string, kind: AddressKind])[] = [
  ["0.0.0.0/8", "reserved"],
  ["10.0.0.0/8", "private"],
  ["100.100.100.200/32", "reserved"], // metadata of one cloud, in its RFC 6598 space
  ["100.64.0.0/10", "private"],
  ["127.0.0.0/8", "private"],
  ["169.254.0.0/16", "reserved"], // link-local, and metadata of most clouds
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "reserved"],
  ["192.0.2.0/24", "reserved"],
  ["192.88.99.0/24", "reserved"],
  ["192.168.0.0/16", "private"],
  ["198.18.0.0/15", "reserved"],
  ["198.51.100.0/24", "reserved"],
  ["203.0.113.0/24", "reserved"],
  ["224.0.0.0/3", "reserved"], // multicast, future use, broadcast
  ["::1/128", "private"],
  ["fd00:ec2::254/128", "reserved"], // metadata of one cloud, in RFC 4193 space
  ["fc00::/7", "private"],
  ["2001::/23", "reserved"], // Teredo among others
  ["2001:db8::/32", "reserved"],
  ["2002::/16", "reserved"], // 6to4 embeds IPv4
  ["3fff::/20", "reserved"],
  ["::/3", "reserved"], // all but global unicast 2000::/3: NAT64 among others
  ["4000::/2", "reserved"],
  ["8000::/1", "reserved"], // link-local and multicast among others
];

let blocks: readonly { network: Network; kind: AddressKind }[] | undefined;

function specialBlocks() {
  return blocks ??= SPECIAL.map(([text, kind]) => ({
    network: Network.parse(text)!,
    kind,
  }));
}

/** The bits of byte `i` that the first `bits` bits of an address cover. */
function mask(bits: number, i: number): number {
  const covered = Math.min(8, Math.max(0, bits - 8 * i));
  return 0xff << (8 - covered) & 0xff;
}
