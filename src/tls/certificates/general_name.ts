/**
 * A GeneralName (RFC 5280 §4.2.1.6).
 *
 * ```text
 * GeneralName ::= CHOICE { [0] otherName, [1] rfc822Name, [2] dNSName, [3] x400Address, [4] directoryName,
 *                          [5] ediPartyName, [6] uniformResourceIdentifier, [7] iPAddress, [8] registeredID }
 * ```
 *
 * @module
 */
import { equal, Reader } from "../../core/bytes/mod.ts";
import { malformed, readConstructed, readDer } from "./der.ts";

/** Tags of the forms of a name. */
export const NAME_FORM = {
  mail: 0x81,
  dns: 0x82,
  directory: 0xa4,
  uri: 0x86,
  ip: 0x87,
} as const;

/** A name of any form; `tag` is one of {@link NAME_FORM} or of those we know nothing of. */
export interface GeneralName {
  readonly tag: number;
  /** The text in ASCII, the address, or for a directory name the whole Name in DER. */
  readonly value: Uint8Array;
}

/** Reads one name. */
export function readGeneralName(reader: Reader): GeneralName {
  const { tag, contents } = readDer(reader);
  if (tag < 0x80 || (tag & 0x1f) > 8) malformed(reader, "a name of no form");
  return { tag, value: contents };
}

/** Text of a DNS name, in lower case; `undefined` if it is not ASCII letters, digits, `-`, `_`, `.` and `*`. */
export function dnsText({ value }: GeneralName): string | undefined {
  const text = String.fromCharCode(...value.subarray(0, MAX_DNS_LENGTH + 1));
  return DNS_REGEXP.test(text) ? text.toLowerCase() : undefined;
}

/**
 * Whether `name` lies in the subtree of `base`, which has the same form (RFC 5280 §4.2.1.10).
 *
 * A DNS base covers itself and what stands before it with a dot, with a dot in front only the latter, empty all; an address
 * base is address and mask; a directory base is a prefix of relative names, compared byte by byte.
 */
export function isWithin(name: GeneralName, base: GeneralName): boolean {
  switch (name.tag) {
    case NAME_FORM.dns:
      return isWithinDomain(name, base);
    case NAME_FORM.ip:
      return isWithinNetwork(name.value, base.value);
    case NAME_FORM.directory:
      return isWithinDirectory(name.value, base.value);
    default:
      return false;
  }
}

const MAX_DNS_LENGTH = 254;
const DNS_REGEXP = /^[a-z0-9_*.-]{0,254}$/i;

function isWithinDomain(name: GeneralName, base: GeneralName): boolean {
  const domain = dnsText(base);
  const host = dnsText(name);
  if (domain === undefined || host === undefined) return false;
  if (domain === "") return true;
  if (domain.startsWith(".")) return host.endsWith(domain);
  return host === domain || host.endsWith(`.${domain}`);
}

function isWithinNetwork(address: Uint8Array, base: Uint8Array): boolean {
  const { length } = address;
  return base.length === 2 * length &&
    address.every((octet, i) => ((octet ^ base[i]!) & base[length + i]!) === 0);
}

function isWithinDirectory(name: Uint8Array, base: Uint8Array): boolean {
  const names = readConstructed(new Reader(name, "directory name"));
  const bases = readConstructed(new Reader(base, "directory name"));
  while (bases.remaining > 0) {
    if (names.remaining === 0) return false;
    if (!equal(readDer(names).whole, readDer(bases).whole)) return false;
  }
  return true;
}
