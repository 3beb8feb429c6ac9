import type { Reader, Writer } from "../../core/bytes/mod.ts";
import { decodeExtensions, type Extension } from "../../utls/mod.ts";
import { fatal } from "../error.ts";

/**
 * Reads an extension list: 2B length, then each 2B type, 2B length, data (RFC 8446 §4.2).
 *
 * @throws {DecodeError} If a length does not fit.
 * @throws {TlsError} `illegal_parameter` if a type comes twice (§4.2).
 */
export function readExtensions(r: Reader): Extension[] {
  const extensions = decodeExtensions(r.sub(r.u16()));
  checkUnique(extensions);
  return extensions;
}

/**
 * Fails if a type comes twice.
 *
 * @throws {TlsError} `illegal_parameter` (RFC 8446 §4.2).
 */
export function checkUnique(extensions: readonly Extension[]): void {
  const types = new Set(extensions.map(({ type }) => type));
  if (types.size < extensions.length) {
    throw fatal("illegalParameter", "An extension comes twice");
  }
}

/** Writes an extension list. */
export function writeExtensions(
  w: Writer,
  extensions: readonly Extension[],
): Writer {
  let length = 0;
  for (const { data } of extensions) length += 4 + data.length;
  w.u16(length);
  for (const { type, data } of extensions) {
    w.u16(type).u16(data.length).put(data);
  }
  return w;
}

/** The data of the extension of `type`, or `undefined`. */
export function findExtension(
  extensions: readonly Extension[],
  type: number,
): Uint8Array | undefined {
  return extensions.find((extension) => extension.type === type)?.data;
}
