/**
 * CBOR floats (RFC 8949 §3.3): F9, FA or FB and an IEEE 754 number of 16, 32 or 64 bits.
 *
 * @module
 */
import { CborFloat } from "./cbor_value.ts";
import { DecodeError } from "./error.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

const NAN_F16 = 0x7e00;

/** Appends `value` in the shortest width that keeps it; every NaN is f97e00 (RFC 8949 §4.2.2). */
export function writeCborFloat(writer: Writer, value: number): void {
  const view = new DataView(new ArrayBuffer(8));
  if (Number.isNaN(value)) {
    writer.u8(0xf9).u16(NAN_F16);
  } else if (Math.f16round(value) === value) {
    view.setFloat16(0, value);
    writer.u8(0xf9).u16(view.getUint16(0));
  } else if (Math.fround(value) === value) {
    view.setFloat32(0, value);
    writer.u8(0xfa).u32(view.getUint32(0));
  } else {
    view.setFloat64(0, value);
    writer.u8(0xfb).u64(view.getBigUint64(0));
  }
}

/**
 * Reads the number that follows the first byte, and keeps it apart from an integer.
 *
 * @param size Its width in bytes: 2, 4 or 8.
 * @param shortest Whether a wider form than needed is an error.
 * @throws {DecodeError} If it is cut short or wider than needed.
 */
export function readCborFloat(
  reader: Reader,
  size: number,
  shortest: boolean,
): number | CborFloat {
  const bytes = reader.take(size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  const value = floatOf(view);
  if (shortest && !isShortest(view, value)) {
    throw new DecodeError(reader.what, "float is not in its shortest form");
  }
  const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
  return isInteger ? new CborFloat(value) : value;
}

function floatOf(view: DataView): number {
  switch (view.byteLength) {
    case 2:
      return view.getFloat16(0);
    case 4:
      return view.getFloat32(0);
    default:
      return view.getFloat64(0);
  }
}

function isShortest(view: DataView, value: number): boolean {
  if (view.byteLength === 2) {
    return !Number.isNaN(value) || view.getUint16(0) === NAN_F16;
  }
  const narrower = view.byteLength === 4
    ? Math.f16round(value)
    : Math.fround(value);
  return narrower !== value && !Number.isNaN(value);
}
