import { formatIp, parseIp } from "../core/bytes/mod.ts";

/**
 * `host` as a browser has it in a URL: a DNS name in lower case and A-labels (UTS #46) without a final dot, or the text of an IP
 * address without brackets and zone.
 *
 * @throws {TypeError} If it is neither: a port, path, space or an empty label, or more than 63 characters in a label or 253 in all.
 */
export function hostName(host: string): string {
  const plain = host.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  const address = parseIp(plain.replace(/%[^%]+$/, ""));
  if (address && plain.includes(":")) return formatIp(address);
  const parsed = NOT_IN_HOSTS_REGEXP.test(host)
    ? null
    : URL.parse(`https://${plain}/`);
  const name = parsed?.hostname ?? "";
  if (HOST_REGEXP.test(name)) return name;
  throw new TypeError(
    `Expected a host name or IP address, got ${host.length} characters`,
  );
}

/**
 * The name that SNI carries for `host` (RFC 6066 §3), as {@link hostName} has it; `undefined` for an IP address.
 *
 * @throws {TypeError} If `host` is neither.
 */
export function serverNameFor(host: string): string | undefined {
  const name = hostName(host);
  return parseIp(name) ? undefined : name;
}

/** What a URL would take for its other parts, decode, or leave out. */
// deno-lint-ignore no-control-regex -- URLs leave some of them out
const NOT_IN_HOSTS_REGEXP = /[\x00-\x20\x7f%/:?#@\\[\]]/;

const HOST_REGEXP = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;
