import { assert, assertEquals } from "@std/assert";
import { Encoder } from "cbor-x";
import {
  type CborDecoded,
  CborFloat,
  CborSimple,
  CborTag,
  decodeCbor,
  DecodeError,
  encodeCbor,
} from "../../src/core/bytes/mod.ts";

const cborX = new Encoder({
  mapsAsObjects: false,
  useRecords: false,
  tagUint8Array: false,
});

Deno.test("decodeCbor() returns what encodeCbor() was given, and the bytes are unique", () => {
  const random = mulberry32(1);
  for (let i = 0; i < 1000; i++) {
    const value = randomValue(random, 4, true);
    const bytes = encodeCbor(value);
    const decoded = decodeCbor(bytes);
    assertEquals(encodeCbor(decoded), bytes);
    if (!(value instanceof Map)) assertEquals(decoded, value);
  }
});

Deno.test("cbor-x reads what encodeCbor() writes", () => {
  const random = mulberry32(2);
  for (let i = 0; i < 800; i++) {
    const value = randomValue(random, 3, false);
    assertEquals(plain(cborX.decode(encodeCbor(value))), plain(value));
  }
});

Deno.test("decodeCbor() reads what cbor-x writes", () => {
  const random = mulberry32(3);
  for (let i = 0; i < 800; i++) {
    const value = randomValue(random, 3, false);
    const bytes = new Uint8Array(cborX.encode(value));
    const decoded = decodeCbor(bytes, { deterministic: false });
    assertEquals(plain(decoded), plain(value));
  }
});

Deno.test("decodeCbor() of changed bytes returns a value of the same bytes or throws DecodeError", () => {
  const random = mulberry32(4);
  let refused = 0;
  for (let i = 0; i < 10_000; i++) {
    const bytes = encodeCbor(randomValue(random, 3, true));
    for (let n = random(3); n >= 0; n--) {
      bytes[random(bytes.length)]! ^= 1 << random(8);
    }
    try {
      assertEquals(encodeCbor(decodeCbor(bytes)), bytes);
    } catch (error) {
      assert(error instanceof DecodeError, `${error}`);
      refused++;
    }
  }
  assert(refused > 2500 && refused < 10_000, `${refused} refused`);
});

/** `all` adds what cbor-x has no type for: wrapped floats, simple values, tags. */
function randomValue(
  random: (below: number) => number,
  depth: number,
  all: boolean,
): CborDecoded {
  const kinds = depth === 0 ? 7 : all ? 12 : 9;
  switch (random(kinds)) {
    case 0:
      return random(2 ** (1 + random(31)));
    case 1:
      return -1 - random(2 ** (1 + random(31)));
    case 2:
      return (random(2 ** 31) - 2 ** 30) / 3 * 2 ** (random(60) - 30);
    case 3:
      return [true, false, null, undefined][random(4)];
    case 4:
      return "a\u00fc\u6c34\u{10151}z".slice(0, random(2) * 3).repeat(
        random(12),
      );
    case 5:
      return Uint8Array.from({ length: random(300) }, () => random(256));
    case 6:
      return 2n ** 53n + BigInt(random(2 ** 32));
    case 7:
      return Array.from(
        { length: random(30) },
        () => randomValue(random, depth - 1, all),
      );
    case 8:
      return new Map(
        Array.from(
          { length: random(6) },
          () => [`k${random(99)}`, randomValue(random, depth - 1, all)],
        ),
      );
    case 9:
      return new CborFloat(random(1000));
    case 10:
      return new CborSimple(32 + random(200));
    default:
      return new CborTag(
        100 + random(9000),
        randomValue(random, depth - 1, all),
      );
  }
}

/** One form for both libraries: maps as sorted entries, integers as bigint, Buffers as arrays. */
function plain(value: unknown): unknown {
  if (value instanceof CborFloat) return plain(value.value);
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) {
    return [...value].map(([k, v]) => [k, plain(v)]).sort(([a], [b]) =>
      a < b ? -1 : 1
    );
  }
  return value;
}

function mulberry32(seed: number): (below: number) => number {
  return (below) => {
    seed = seed + 0x6d2b79f5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return Math.floor(((t ^ t >>> 14) >>> 0) / 2 ** 32 * below);
  };
}
