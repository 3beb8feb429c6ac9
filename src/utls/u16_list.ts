import { DecodeError, Reader } from "../core/bytes/mod.ts";

/**
 * The numbers of an extension that is one list of 2-byte numbers behind its length in bytes; none if it is absent.
 *
 * @param what The extension, for error messages.
 * @param lengthBytes Bytes of the length.
 * @throws {DecodeError} If the length does not fit or is odd.
 */
export function u16List(
  data: Uint8Array | undefined,
  what: string,
  lengthBytes: 1 | 2 = 2,
): number[] {
  if (data === undefined) return [];
  const r = new Reader(data, what);
  const length = lengthBytes === 1 ? r.u8() : r.u16();
  if (length % 2 !== 0 || length !== r.remaining) {
    throw new DecodeError(what, `list of ${length} bytes`);
  }
  const list = new Array<number>(length / 2);
  for (let i = 0; i < list.length; i++) list[i] = r.u16();
  return list;
}
