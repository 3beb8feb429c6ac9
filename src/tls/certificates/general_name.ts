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
  other: 0xa0,
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
 * Reads the base of a subtree that names are held against (RFC 5280 §4.2.1.10): of a DNS name plain labels, with a dot in front
 * or none, of an address as much mask behind it.
 *
 * @throws {DecodeError} For another form of these two, which would constrain nothing.
 */
export function readSubtreeBase(reader: Reader): GeneralName {
  const base = readGeneralName(reader);
  if (
    base.tag === NAME_FORM.dns && !DNS_BASE_REGEXP.test(dnsText(base) ?? "?")
  ) {
    malformed(reader, "a constraint that is no DNS name");
  }
  if (base.tag === NAME_FORM.ip && !isNetwork(base.value)) {
    malformed(reader, "a constraint that is no address and mask");
  }
  return base;
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

/**
 * Whether `name` or, if it is a wildcard, one of the names it stands for lies in the subtree of `base`, as
 * `foo.example.com` does for `*.example.com`.
 */
export function reachesInto(name: GeneralName, base: GeneralName): boolean {
  if (isWithin(name, base)) return true;
  if (name.tag !== NAME_FORM.dns) return false;
  const [host, domain] = [dnsText(name), dnsText(base)];
  return host?.startsWith("*.") === true &&
    host.slice(1) === domain?.replace(/^[^.]+/, "");
}

const MAX_DNS_LENGTH = 254;
const DNS_REGEXP = /^[a-z0-9_*.-]{0,254}$/i;
const DNS_BASE_REGEXP = /^(\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*)?$/;

function isWithinDomain(name: GeneralName, base: GeneralName): boolean {
  const domain = dnsText(base);
  const host = dnsText(name);
  if (domain === undefined || host === undefined) return false;
  if (domain === "") return true;
  if (domain.startsWith(".")) return host.endsWith(domain);
  return host === domain || host.endsWith(`.${domain}`);
}

/** Whether `value` is an address of 4 or 16 bytes with a mask whose ones all come first. */
function isNetwork(value: Uint8Array): boolean {
  if (value.length !== 8 && value.length !== 32) return false;
  const bits = [...value.subarray(value.length / 2)]
    .map((octet) => octet.toString(2).padStart(8, "0")).join("");
  return /^1*0*$/.test(bits);
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
