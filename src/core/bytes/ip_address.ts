/**
 * IP addresses as text and bytes: dotted IPv4 and RFC 4291 IPv6, printed as RFC 5952 says.
 *
 * Octal, hexadecimal and shortened IPv4 forms, zone identifiers and brackets are not addresses.
 *
 * @module
 */
import type { Bytes } from "./bytes.ts";

const IPV4_REGEXP = /^(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}$/;
const GROUP_REGEXP = /^[0-9a-f]{1,4}$/i;

/** The 4 or 16 bytes of an address, IPv4-mapped IPv6 as its 4 bytes; `undefined` if `text` is none. */
export function parseIp(text: string): Bytes | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** The canonical text of 4 or 16 address bytes. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from(
    { length: 8 },
    (_, i) => (bytes[2 * i]! << 8 | bytes[2 * i + 1]!).toString(16),
  );
  const { start, length } = longestZeroRun(groups);
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${
    groups.slice(start + length).join(":")
  }`;
}

/** Whether 16 bytes are an IPv4-mapped address, `::ffff:0:0/96`. */
function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 &&
    bytes.subarray(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 0xff && bytes[11] === 0xff;
}

function parseIpv4(text: string): Bytes | undefined {
  if (!IPV4_REGEXP.test(text)) return undefined;
  const parts = text.split(".").map(Number);
  return parts.every((part) => part <= 255)
    ? Uint8Array.from(parts)
    : undefined;
}

function parseIpv6(text: string): Bytes | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(parseGroups);
  if (!head || halves.length === 2 && !tail) return undefined;
  const gap = 16 - head.length - (tail?.length ?? 0);
  if (tail ? gap < 2 : gap !== 0) return undefined;
  if (tail && halves[0]!.includes(".")) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  if (tail) bytes.set(tail, 16 - tail.length);
  return isMapped(bytes) ? bytes.slice(12) : bytes;
}

/** The bytes of colon-separated groups, the last of which may be a dotted IPv4 address. */
function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [i, group] of groups.entries()) {
    if (GROUP_REGEXP.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      const ipv4 = i === groups.length - 1 ? parseIpv4(group) : undefined;
      if (!ipv4) return undefined;
      bytes.push(...ipv4);
    }
  }
  return bytes;
}

function longestZeroRun(groups: readonly string[]) {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === "0") length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
