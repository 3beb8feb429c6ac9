import { Reader, Writer } from "../../core/bytes/mod.ts";

const CRITICAL = 0x01;

/** Something that a session or a transfer says beside its own fields (RFC 9174 §4.8, §5.2.5). */
export interface ExtensionItem {
  /** Whether who does not know the type must refuse. */
  readonly critical: boolean;
  /** 16 bits; 0x0001 of a transfer is {@link TRANSFER_LENGTH}. */
  readonly type: number;
  /** At most 65,535 bytes. */
  readonly value: Uint8Array;
}

/** Type of the transfer extension that tells the length of the bundle in 8 bytes (RFC 9174 §5.2.5.1). */
export const TRANSFER_LENGTH = 0x0001;

/**
 * Appends the length of a list in 4 bytes, and its items.
 *
 * ```text
 * 1B   flags: 0x01 CRITICAL
 * 2B   type
 * 2B   length n
 * nB   value
 * ```
 */
export function writeExtensionItems(
  writer: Writer,
  items: readonly ExtensionItem[],
): void {
  if (items.length === 0) {
    writer.u32(0);
    return;
  }
  const list = new Writer();
  for (const { critical, type, value } of items) {
    list.u8(critical ? CRITICAL : 0).u16(type).u16(value.length).put(value);
  }
  writer.u32(list.length).put(list.finish());
}

/**
 * Decodes a list of items, without its length; the values borrow `bytes`.
 *
 * @throws {DecodeError} If an item is cut short.
 */
export function decodeExtensionItems(bytes: Uint8Array): ExtensionItem[] {
  const reader = new Reader(bytes, "TCPCL extension items");
  const items: ExtensionItem[] = [];
  while (reader.remaining > 0) {
    const critical = (reader.u8() & CRITICAL) !== 0;
    const type = reader.u16();
    items.push({ critical, type, value: reader.take(reader.u16()) });
  }
  return items;
}

/** The item that says that a bundle has `length` bytes. */
export function transferLengthItem(length: number): ExtensionItem {
  const value = new Writer(8).u64(BigInt(length)).finish();
  return { critical: false, type: TRANSFER_LENGTH, value };
}
