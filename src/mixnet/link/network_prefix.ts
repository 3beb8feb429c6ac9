import { encodeHex, parseIp } from "../../core/bytes/mod.ts";
import type { Address } from "../../core/transport/mod.ts";

/** The network of `address` in hexadecimal: the first 24 bits of IPv4, 56 of IPv6; the host where that is no IP address. */
export function networkPrefix(address: Address): string {
  const host = /^[a-z]+:\/\/(?:\[([^\]%]*)[^\]]*\]|([^:/]*))/.exec(address);
  const name = host?.[1] ?? host?.[2] ?? "";
  const ip = parseIp(name);
  return ip ? encodeHex(ip.subarray(0, ip.length === 4 ? 3 : 7)) : name;
}
