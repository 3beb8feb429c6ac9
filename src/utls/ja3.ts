/**
 * JA3 (salesforce/ja3): fingerprints of hellos by MD5 over decimal lists in the order sent, GREASE left out.
 *
 * ```text
 * JA3   version,cipher suites,extensions,groups,point formats    of a ClientHello
 * JA3N  the same with the extensions sorted, for browsers that permute them; a custom, not a standard
 * JA3S  version,cipher suite,extensions                          of a ServerHello
 * ```
 *
 * @module
 */
import { Reader } from "../core/bytes/mod.ts";
import { hexDigest } from "../core/crypto/mod.ts";
import { type ClientHello, extensionOf } from "./client_hello.ts";
import { EXTENSION } from "./extension.ts";
import { isGrease } from "./grease.ts";
import type { ServerHello } from "./server_hello.ts";
import { u16List } from "./u16_list.ts";

/**
 * The JA3 fingerprint of `hello`, 32 hex digits.
 *
 * @throws {DecodeError} If its list of groups or point formats does not decode.
 */
export function ja3(hello: ClientHello): string {
  return hexDigest("md5", ja3Text(hello));
}

/**
 * What {@link ja3} digests.
 *
 * @throws {DecodeError} As {@link ja3}.
 */
export function ja3Text(hello: ClientHello): string {
  return text(hello, extensionTypes(hello));
}

/**
 * The JA3N fingerprint of `hello`: JA3 with its extensions in ascending order.
 *
 * @throws {DecodeError} As {@link ja3}.
 */
export function ja3n(hello: ClientHello): string {
  return hexDigest("md5", ja3nText(hello));
}

/**
 * What {@link ja3n} digests.
 *
 * @throws {DecodeError} As {@link ja3}.
 */
export function ja3nText(hello: ClientHello): string {
  return text(hello, extensionTypes(hello).sort((a, b) => a - b));
}

/** The JA3S fingerprint of `hello`. */
export function ja3s(hello: ServerHello): string {
  return hexDigest("md5", ja3sText(hello));
}

/** What {@link ja3s} digests. */
export function ja3sText(hello: ServerHello): string {
  const types = extensionTypes(hello);
  return `${hello.legacyVersion},${hello.cipherSuite},${types.join("-")}`;
}

function extensionTypes({ extensions }: ClientHello | ServerHello): number[] {
  return (extensions ?? []).map(({ type }) => type)
    .filter((type) => !isGrease(type));
}

function text(hello: ClientHello, types: readonly number[]): string {
  const suites = hello.cipherSuites.filter((suite) => !isGrease(suite));
  const groups = u16List(
    extensionOf(hello, EXTENSION.supportedGroups),
    "supported_groups",
  );
  return [
    [hello.legacyVersion],
    suites,
    types,
    groups.filter((group) => !isGrease(group)),
    pointFormats(hello),
  ].map((list) => list.join("-")).join(",");
}

function pointFormats(hello: ClientHello): readonly number[] {
  const data = extensionOf(hello, EXTENSION.ecPointFormats);
  if (data === undefined) return [];
  const r = new Reader(data, "ec_point_formats");
  const formats = r.take(r.u8());
  r.end();
  return [...formats];
}
