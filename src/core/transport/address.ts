import type { Address } from "./connection.ts";

/** The parts of an {@link Address} that names a host and a port. */
export interface AddressParts {
  /** What precedes `://`, in lower case. */
  readonly scheme: string;
  /** A host name or an IP address, an IPv6 one without its brackets. */
  readonly hostname: string;
  /** 0 to 65535. */
  readonly port: number;
  /** From the first `/` on, or empty. */
  readonly path: string;
}

const ADDRESS_REGEXP =
  /^([a-z][a-z0-9]*):\/\/(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})(\/[\x21-\x7e]*)?$/;

/**
 * Parses an address such as `tcp://127.0.0.1:9000` or `ws://[::1]:9000/path`.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseAddress } from "./address.ts";
 *
 * assertEquals(parseAddress("ws://[::1]:9000/path"), {
 *   scheme: "ws",
 *   hostname: "::1",
 *   port: 9000,
 *   path: "/path",
 * });
 * ```
 *
 * @throws {TypeError} If it is not `scheme://host:port`, a path allowed.
 */
export function parseAddress(address: Address): AddressParts {
  const match = ADDRESS_REGEXP.exec(address);
  if (!match || Number(match[4]) > 65_535) {
    throw new TypeError(`Want scheme://host:port: got "${address}"`);
  }
  return {
    scheme: match[1]!,
    hostname: match[2] ?? match[3]!,
    port: Number(match[4]),
    path: match[5] ?? "",
  };
}

/** The address that `parts` make, an IPv6 host in brackets. */
export function formatAddress(
  { scheme, hostname, port, path = "" }:
    & Omit<AddressParts, "path">
    & Partial<Pick<AddressParts, "path">>,
): Address {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${scheme}://${host}:${port}${path}`;
}
