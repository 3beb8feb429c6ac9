import { DecodeError } from "../../core/bytes/mod.ts";

/** Most values in one payload, those in others counted: each costs memory, however few bytes it has. */
export const MAX_PAYLOAD_VALUES = 1_048_576;

/** How deep arrays, maps and tags may lie in each other. */
export const MAX_PAYLOAD_DEPTH = 64;

const WHAT = "payload";
/** Longer ones take a time that grows with the square of their length. */
const MAX_BIGNUM_BYTES = 1_024;
const [UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAGGED, SIMPLE] = [
  ...[0, 1, 2, 3, 4, 5, 6, 7] as const,
];

/** What a tag may be of: major types, and the most bytes of a byte string. */
interface Tagged {
  readonly majors: readonly number[];
  readonly maxBytes: number;
}

const TYPED_ARRAY: Tagged = { majors: [BYTES], maxBytes: Infinity };
const BIGNUM: Tagged = { majors: [BYTES], maxBytes: MAX_BIGNUM_BYTES };
/** Tags that a decoder may make objects of: RFC 8949 §3.4, and the registry of tags. */
const TAGS: ReadonlyMap<number, Tagged> = new Map<number, Tagged>([
  [1, { majors: [UNSIGNED, NEGATIVE, SIMPLE], maxBytes: 0 }], // a date
  [2, BIGNUM],
  [3, BIGNUM],
  [258, { majors: [ARRAY], maxBytes: 0 }], // a set
  [259, { majors: [MAP], maxBytes: 0 }], // a map that stays one
]);

/**
 * Checks that `bytes` are one CBOR value that is cheap to decode: well-formed, of definite lengths, at most
 * {@link MAX_PAYLOAD_VALUES} values and {@link MAX_PAYLOAD_DEPTH} deep, and without tags but those of dates (1), integers of up to
 * 1 KiB (2, 3), typed arrays (64 … 87, RFC 8746), sets (258) and maps (259).
 *
 * @throws {DecodeError} If it is not.
 */
export function checkPayloadBounds(bytes: Uint8Array): void {
  /** How many values are missing here, and in what this lies in. */
  let missing = 1;
  const outer: number[] = [];
  let tagged: Tagged | undefined;
  let at = 0;
  for (let count = 1;; count++) {
    if (count > MAX_PAYLOAD_VALUES) throw malformed("too many values");
    if (at >= bytes.length) throw malformed("cut short");
    missing--;
    const head = bytes[at++]!;
    const major = head >> 5;
    let argument = head & 31;
    if (argument > 23) {
      if (argument > 27) throw malformed("want definite lengths");
      if (head === 0xf8) throw malformed("unknown simple value");
      const width = 1 << (argument - 24);
      if (at + width > bytes.length) throw malformed("cut short");
      argument = 0;
      for (const end = at + width; at < end; at++) {
        argument = argument * 256 + bytes[at]!;
      }
    } else if (major === SIMPLE && argument < 20) {
      throw malformed("unknown simple value");
    }
    if (tagged && !tagged.majors.includes(major)) {
      throw malformed("a tag of something else");
    }
    if (major === BYTES || major === TEXT) {
      if (argument > bytes.length - at) throw malformed("cut short");
      if (tagged && argument > tagged.maxBytes) {
        throw malformed("too long a number");
      }
      at += argument;
    } else if (major === ARRAY || major === MAP || major === TAGGED) {
      if (outer.length >= MAX_PAYLOAD_DEPTH) throw malformed("too deep");
      outer.push(missing);
      missing = valuesIn(major, argument);
    }
    tagged = major === TAGGED ? taggedBy(argument) : undefined;
    while (missing === 0) {
      const more = outer.pop();
      if (more === undefined) {
        if (at < bytes.length) throw malformed("goes on behind its value");
        return;
      }
      missing = more;
    }
  }
}

function valuesIn(major: number, argument: number): number {
  if (major === TAGGED) return 1;
  return major === MAP ? 2 * argument : argument;
}

function taggedBy(tag: number): Tagged {
  const tagged = tag >= 64 && tag <= 87 ? TYPED_ARRAY : TAGS.get(tag);
  if (tagged) return tagged;
  throw malformed("a tag that payloads do not have");
}

function malformed(reason: string): DecodeError {
  return new DecodeError(WHAT, reason);
}
