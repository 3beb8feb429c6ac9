import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError, encodeCbor } from "../../src/core/bytes/mod.ts";
import {
  decodeParameters,
  encodeParameters,
  MAX_PARAMETERS_LENGTH,
  PARAMETER_RANGE,
  parameters,
} from "../../src/htx/parameters.ts";

const RANGES = Object.entries(PARAMETER_RANGE) as [
  keyof typeof PARAMETER_RANGE,
  { number: number; min: number; max: number },
][];
const MINIMAL = Object.fromEntries(RANGES.map(([name, r]) => [name, r.min]));

function decode(...entries: [number, unknown][]): Record<string, number> {
  const map = new Map(entries) as Parameters<typeof encodeCbor>[0];
  return { ...decodeParameters(encodeCbor(map)) };
}

Deno.test("decodeParameters() gives what encodeParameters() took", () => {
  for (
    const value of [
      parameters(),
      parameters({ maxStreams: 16, maxDataBytes: 2 ** 20 }),
      parameters({ maxSessionWindowBytes: 2 ** 30 }),
    ]
  ) assertEquals(decodeParameters(encodeParameters(value)), value);
});

Deno.test("decodeParameters() takes the minimum of an absent parameter and ignores an unknown one", () => {
  assertEquals(decode(), MINIMAL);
  assertEquals(decode([1, 99], [77, 5], [1_000_000, 0]), {
    ...MINIMAL,
    maxStreams: 99,
  });
});

Deno.test("decodeParameters() cuts what is above a range and refuses what is below", () => {
  for (const [name, { number, min, max }] of RANGES) {
    assertEquals(decode([number, max])[name], max);
    assertEquals(decode([number, max + 1])[name], max);
    assertEquals(decode([number, Number.MAX_SAFE_INTEGER])[name], max);
    for (const value of [min - 1, 0, -1]) {
      assertThrows(() => decode([number, value]), DecodeError, `${number}`);
    }
  }
});

Deno.test("decodeParameters() refuses what is no map of integers", () => {
  const bad = [
    [],
    [0x00],
    [0xff],
    [0xa1],
    [0xa1, 0x01],
    [0xa0, 0x00],
    [0xbf, 0xff],
    [0xa2, 0x01, 0x18, 0x63, 0x01, 0x18, 0x63],
    [0xa1, 0x01, 0x19, 0x00, 0x63],
    [0xa1, 0x01, 0xf5],
    [0xa1, 0x01, 0x61, 0x39],
    [0xa1, 0x01, 0xfb, 0x40, 0x59, 0, 0, 0, 0, 0, 0],
    [0xa1, 0x01, 0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0xa1, 0x01, 0x81, 0x81, 0x81, 0x00],
  ];
  for (const bytes of bad) {
    assertThrows(
      () => decodeParameters(Uint8Array.from(bytes)),
      DecodeError,
      undefined,
      bytes.join(),
    );
  }
});

Deno.test("decodeParameters() refuses too many bytes and too many entries", () => {
  const long = encodeCbor(new Map([[99, new Uint8Array(1_100)]]));
  assertEquals(long.length > MAX_PARAMETERS_LENGTH, true);
  assertThrows(() => decodeParameters(long), DecodeError, "too long");
  const many = new Map(Array.from({ length: 65 }, (_, i) => [i + 1, 99_999]));
  assertThrows(() => decodeParameters(encodeCbor(many)), DecodeError);
});

Deno.test("parameters() refuses our own values outside their ranges", () => {
  for (const [name, { min, max }] of RANGES) {
    for (const value of [min - 1, max + 1, min + 0.5, NaN]) {
      assertThrows(() => parameters({ [name]: value }), RangeError, name);
    }
    assertEquals(parameters({ [name]: max })[name], max);
  }
});
