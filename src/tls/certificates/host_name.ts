import { equal, parseIp } from "../../core/bytes/mod.ts";
import { dnsText, type GeneralName, NAME_FORM } from "./general_name.ts";

/**
 * Whether one of a certificate's `names` is that of `host`, a DNS name or the text of an IP address (RFC 9525 §6).
 *
 * An address must be among the iPAddress names, bit for bit. A DNS name is compared with dNSName names in lower case, both in
 * A-labels; `*` stands for the whole leftmost label, where two more follow at least. The common name is not looked at.
 */
export function isForHost(
  names: readonly GeneralName[],
  host: string,
): boolean {
  const address = parseIp(host);
  if (address) {
    return names.some(({ tag, value }) =>
      tag === NAME_FORM.ip && equal(value, address)
    );
  }
  const wanted = host.toLowerCase().replace(/\.$/, "");
  if (!HOST_REGEXP.test(wanted)) return false;
  return names.some((name) =>
    name.tag === NAME_FORM.dns && matches(dnsText(name), wanted)
  );
}

const HOST_REGEXP = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;

function matches(pattern: string | undefined, host: string): boolean {
  if (pattern === undefined) return false;
  if (!pattern.startsWith("*.")) return pattern === host;
  const parent = pattern.slice(1);
  return !parent.includes("*") && parent.indexOf(".", 1) > 0 &&
    host.indexOf(".") === host.length - parent.length && host.endsWith(parent);
}
