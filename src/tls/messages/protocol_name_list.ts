/**
 * ProtocolNameList of ALPN (RFC 7301 §3.1) and of application settings.
 *
 * ```text
 * 2B  length, then names: 1B length, name, not empty
 * ```
 *
 * @module
 */
import {
  type Bytes,
  DecodeError,
  Reader,
  utf8,
  Writer,
} from "../../core/bytes/mod.ts";

const WHAT = "protocol names";

/**
 * Decodes extension data: one character a byte.
 *
 * @throws {DecodeError} If a length does not fit, or a name or the list is empty.
 */
export function decodeProtocolNames(data: Uint8Array): string[] {
  const r = new Reader(data, WHAT);
  const list = r.sub(r.u16());
  r.end();
  const names: string[] = [];
  while (list.remaining > 0) {
    const name = list.take(list.u8());
    if (name.length === 0) throw new DecodeError(WHAT, "empty name");
    names.push(String.fromCharCode(...name));
  }
  if (names.length === 0) throw new DecodeError(WHAT, "no name");
  return names;
}

/** Encodes extension data; the names are ASCII. */
export function encodeProtocolNames(names: readonly string[]): Bytes {
  const list = new Writer();
  for (const name of names) {
    const bytes = utf8(name);
    list.u8(bytes.length).put(bytes);
  }
  return new Writer().u16(list.length).put(list.finish()).finish();
}
