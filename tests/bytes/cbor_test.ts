import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  CBOR_BREAK,
  CBOR_MAJOR,
  type CborDecoded,
  CborFloat,
  type CborOptions,
  CborSimple,
  CborTag,
  type CborValue,
  concat,
  decodeCbor,
  DecodeError,
  decodeHex,
  encodeCbor,
  encodeHex,
  readCbor,
  readCborArray,
  readCborBreak,
  Reader,
  writeCbor,
  writeCborHead,
  Writer,
} from "../../src/core/bytes/mod.ts";
import appendixA from "../vectors/rfc8949/appendix_a.json" with {
  type: "json",
};

const ANY_FORM = { indefinite: true, deterministic: false };

function encode(value: CborValue): string {
  return encodeHex(encodeCbor(value));
}

function decode(hex: string, options?: CborOptions): CborDecoded {
  return decodeCbor(decodeHex(hex), options);
}

function assertRefused(hex: string, reason: string, options?: CborOptions) {
  assertThrows(() => decode(hex, options), DecodeError, reason);
}

Deno.test("decodeCbor() and encodeCbor() agree with RFC 8949 appendix A", () => {
  for (const { diagnostic, hex } of deterministic()) {
    assertEquals(diagnosticOf(decode(hex)), diagnostic);
    assertEquals(encode(decode(hex)), hex, diagnostic);
  }
});

Deno.test("decodeCbor() refuses the other forms of appendix A unless allowed", () => {
  for (const { hex, deterministic } of appendixA) {
    if (deterministic === undefined) continue;
    assertThrows(() => decode(hex), DecodeError);
    assertEquals(encode(decode(hex, ANY_FORM)), deterministic);
  }
});

Deno.test("decodeCbor() refuses every truncation of appendix A", () => {
  for (const { hex, diagnostic } of appendixA) {
    for (let end = 0; end < hex.length; end += 2) {
      assertThrows(
        () => decode(hex.slice(0, end), ANY_FORM),
        DecodeError,
        undefined,
        `${diagnostic} cut at ${end / 2}`,
      );
    }
  }
});

Deno.test("decodeCbor() refuses trailing bytes", () => {
  for (const { hex } of appendixA) {
    assertRefused(hex + "00", "1 trailing bytes", ANY_FORM);
  }
});

Deno.test("encodeCbor() keeps integers and floats apart", () => {
  assertEquals(encode(1), "01");
  assertEquals(encode(new CborFloat(1)), "f93c00");
  assertEquals(encode(new CborFloat(1.5)), encode(1.5));
  assertEquals(encode(2 ** 53), "fa5a000000");
  assertEquals(encode(-0), "f98000");
  assertEquals(decode("f93c00"), new CborFloat(1));
  assertEquals(decode("f93e00"), 1.5);
});

Deno.test("integers around 2^53 and 2^64 are exact", () => {
  const cases: readonly [CborDecoded, string][] = [
    [2 ** 53 - 1, "1b001fffffffffffff"],
    [2n ** 53n, "1b0020000000000000"],
    [-(2 ** 53 - 1), "3b001ffffffffffffe"],
    [-(2n ** 53n), "3b001fffffffffffff"],
    [2n ** 53n + 1n, "1b0020000000000001"],
    [2n ** 64n - 1n, "1bffffffffffffffff"],
    [2n ** 64n, "c249010000000000000000"],
    [-(2n ** 64n), "3bffffffffffffffff"],
    [-(2n ** 64n) - 1n, "c349010000000000000000"],
  ];
  for (const [value, hex] of cases) {
    assertEquals(encode(value), hex);
    assertEquals(decode(hex), value);
  }
  assertEquals(encode(5n), "05");
  assertEquals(encode(-5n), "24");
});

Deno.test("decodeCbor() refuses heads, floats and bignums longer than needed", () => {
  for (const major of [0x00, 0x20, 0x40, 0x60, 0x80, 0xa0, 0xc0]) {
    for (
      const [info, argument] of [[24, "17"], [25, "00ff"], [26, "0000ffff"], [
        27,
        "00000000ffffffff",
      ]] as const
    ) {
      const hex = encodeHex(Uint8Array.of(major | info)) + argument;
      assertRefused(hex, "shortest form");
    }
  }
  for (
    const hex of [
      "fa3f800000",
      "fa7fc00000",
      "fb3ff0000000000000",
      "fb3ff8000000000000",
      "f97e01",
      "f9fe00",
    ]
  ) {
    assertRefused(hex, "float is not in its shortest form");
  }
  assertEquals(decode("f97e01", ANY_FORM), NaN);
  for (
    const hex of [
      "c240",
      "c24100",
      "c248ffffffffffffffff",
      "c24a00ffffffffffffffffff",
    ]
  ) {
    assertRefused(hex, "bignum is not in its shortest form");
  }
  assertEquals(decode("c240", ANY_FORM), 0);
  assertEquals(decode("c34105", ANY_FORM), -6);
  assertEquals(decode("1800", ANY_FORM), 0);
});

Deno.test("decodeCbor() refuses bignums of other types and sizes", () => {
  assertRefused("c201", "want a bignum");
  assertRefused("c2590401" + "ff".repeat(1025), "at most 1024 bytes");
  const largest = decode("c2590400" + "ff".repeat(1024));
  assertEquals(largest, 2n ** 8192n - 1n);
  assertEquals(encode(largest), "c2590400" + "ff".repeat(1024));
});

Deno.test("decodeCbor() refuses reserved additional information and misplaced breaks", () => {
  for (let major = 0; major < 8; major++) {
    for (const info of [28, 29, 30]) {
      const hex = encodeHex(Uint8Array.of(major << 5 | info));
      assertRefused(hex + "00".repeat(16), "reserved", ANY_FORM);
    }
  }
  for (const hex of ["ff", "81ff", "a1ff00", "a100ff", "c1ff", "bf00ff"]) {
    assertRefused(hex, "break outside", ANY_FORM);
  }
  for (const hex of ["1f", "3f", "df"]) {
    assertRefused(hex, "integer or tag", ANY_FORM);
  }
});

Deno.test("simple values exist in one form only", () => {
  for (let value = 0; value < 32; value++) {
    assertRefused(
      `f8${value.toString(16).padStart(2, "0")}`,
      "simple value",
      ANY_FORM,
    );
  }
  for (const value of [0, 19, 32, 255]) {
    const bytes = encodeCbor(new CborSimple(value));
    assertEquals(decodeCbor(bytes), new CborSimple(value));
  }
  for (const value of [20, 23, 24, 31, 256, -1, 0.5]) {
    assertThrows(() => new CborSimple(value), RangeError);
  }
});

Deno.test("map keys are written in bytewise order, and read in no other", () => {
  const map = new Map<CborValue, CborValue>([
    ["aa", 1],
    [[-1], 2],
    ["z", 3],
    [-1, 4],
    [false, 5],
    [100, 6],
    [10, 7],
    [[100], 8],
  ]);
  const hex = encode(map); // the keys of the example in RFC 8949 §4.2.1
  const keys = [...(decode(hex) as Map<CborDecoded, CborDecoded>).keys()];
  assertEquals(keys, [10, 100, -1, "z", "aa", [100], [-1], false]);
  assertRefused("a2616201616102", "out of order");
  assertRefused("a262616101617a02", "out of order");
  assertEquals(
    decode("a2616201616102", { deterministic: false }),
    new Map([["b", 1], ["a", 2]]),
  );
});

Deno.test("a map never has the same key twice", () => {
  assertRefused("a2616101616102", "duplicate");
  assertRefused("a2616101616102", "duplicate", ANY_FORM);
  assertRefused("a20101180102", "duplicate", ANY_FORM);
  assertRefused("a3414101000041410a", "duplicate", ANY_FORM);
  assertRefused("a20000f9800000", "duplicate"); // 0 and -0.0 cannot both be keys of a Map
  const twice = new Map<CborValue, CborValue>([[1, "a"], [1n, "b"]]);
  assertThrows(() => encodeCbor(twice), TypeError, "same key twice");
});

Deno.test("maps never become properties", () => {
  const map = decodeCbor(encodeCbor(JSON.parse('{"__proto__": {"a": 1}}')));
  assertEquals(map, new Map([["__proto__", new Map([["a", 1]])]]));
});

Deno.test("decodeCbor() refuses text that is not UTF-8, short or long", () => {
  for (const bad of ["ff", "c0af", "eda080", "f4908080", "e6b0"]) {
    for (const padding of [0, 40]) {
      const text = concat(new Uint8Array(padding).fill(0x61), decodeHex(bad));
      const writer = new Writer();
      writeCborHead(writer, CBOR_MAJOR.text, text.length);
      assertRefused(encodeHex(writer.put(text).finish()), "not UTF-8");
    }
  }
  assertEquals(decode("63efbbbf"), "\ufeff");
});

Deno.test("decodeCbor() refuses lengths beyond the bytes left before it allocates", () => {
  for (const hex of ["5b", "7b", "9b", "bb"]) {
    assertRefused(hex + "ffffffffffffffff", "more than the 0 bytes left");
    assertRefused(hex + "001fffffffffffff00", "more than the 1 bytes left");
  }
  assertRefused("9a7fffffff00", "more than the 1 bytes left");
  assertRefused("a20000", "more than the 2 bytes left");
});

Deno.test("decodeCbor() refuses nesting beyond maxDepth", () => {
  for (
    const [open, close] of [["81", "00"], ["c1", "00"], ["a100", "00"], [
      "a1",
      "0000",
    ]] as const
  ) {
    const nested = (depth: number) =>
      open.repeat(depth) + (open === "a1" ? "00".repeat(depth + 1) : close);
    decode(nested(32));
    assertRefused(nested(33), "nested too deep");
    decode(nested(3), { maxDepth: 3 });
    assertRefused(nested(3), "nested too deep", { maxDepth: 2 });
  }
  assertRefused("81".repeat(1_000_000), "nested too deep");
  assertRefused("9f".repeat(1_000_000), "nested too deep", ANY_FORM);
  assertEquals(decode("00", { maxDepth: 0 }), 0);
});

Deno.test("decodeCbor() refuses keys beyond the depth at which it can compare them", () => {
  const options = { deterministic: false, maxDepth: 100 };
  for (const leaf of ["00", "40", "f90000", "f0"]) {
    for (const open of ["81", "c9"]) {
      const keyed = (depth: number) => `a1${open.repeat(depth)}${leaf}00`;
      decode(keyed(64), options);
      assertRefused(keyed(65), "nested too deep", options);
      decode(keyed(99), { maxDepth: 100 });
    }
  }
});

Deno.test("decodeCbor() refuses more items than maxItems, chunks included", () => {
  decode("83010203", { maxItems: 4 });
  assertRefused("83010203", "more than 3 items", { maxItems: 3 });
  assertRefused("a101820102", "more than 4 items", { maxItems: 4 });
  assertRefused("5f" + "40".repeat(4) + "ff", "more than 4 items", {
    indefinite: true,
    maxItems: 4,
  });
  assertRefused("9a00010000" + "80".repeat(65536), "more than 65536 items");
});

Deno.test("strings of indefinite length hold chunks of their own type only", () => {
  const options = { indefinite: true };
  assertEquals(decode("7f61616162ff", options), "ab");
  assertEquals(decode("5fff", options), new Uint8Array(0));
  for (const hex of ["5f6161ff", "7f4161ff", "5f5fffff", "5f00ff"]) {
    assertRefused(hex, "chunk", options);
  }
  assertRefused("7f61e661b0ff", "not UTF-8", options); // a character must not span chunks
  assertRefused("5f580100ff", "shortest form", options);
});

Deno.test("indefinite lengths do not loosen the rest of the rules", () => {
  const options = { indefinite: true };
  assertRefused("9f1801ff", "shortest form", options);
  assertRefused("bf616200616100ff", "out of order", options);
  assertRefused("9f", "have 0", options);
});

Deno.test("encodeCbor() refuses what has no CBOR form", () => {
  const no = (value: unknown) => () => encodeCbor(value as CborValue);
  assertThrows(no(() => 1), TypeError, "function");
  assertThrows(no(Symbol()), TypeError, "symbol");
  assertThrows(no(new Date(0)), TypeError, "class");
  assertThrows(no([new Set()]), TypeError, "class");
  assertThrows(no("\ud800"), TypeError, "surrogate");
  assertThrows(no(new CborTag(2, new Uint8Array(9))), TypeError, "bigint");
  assertThrows(no(new CborTag(-1, 0)), RangeError);
  assertThrows(no(new CborTag(0.5, 0)), RangeError);
  assertThrows(no(new CborTag(NaN, 0)), RangeError);
  assertThrows(no(new CborTag(Infinity, 0)), RangeError);
  assertThrows(no(new CborTag(2n ** 64n, 0)), RangeError);
});

Deno.test("encodeCbor() ends on a cycle", () => {
  const cycle: CborValue[] = [];
  cycle.push(cycle);
  assertThrows(() => encodeCbor(cycle), RangeError, "64 deep");
});

Deno.test("decoded byte strings borrow from the input", () => {
  const bytes = decodeHex("43010203");
  const value = decodeCbor(bytes);
  bytes[1] = 9;
  assertEquals(value, Uint8Array.of(9, 2, 3));
});

Deno.test("DecodeError names the value and quotes none of it", () => {
  const error = assertThrows(
    () => decodeCbor(decodeHex("a2616201616102"), {}, "beacon"),
    DecodeError,
  );
  assertInstanceOf(error, RangeError);
  assertEquals(
    error.message,
    "Cannot decode beacon: map keys are out of order",
  );
});

Deno.test("readCbor() walks an indefinite array and gives the bytes of each item", () => {
  const items: CborValue[] = [[7, "primary"], [1, new Uint8Array(3)], { a: 1 }];
  const writer = new Writer();
  writeCborHead(writer, CBOR_MAJOR.array, undefined);
  for (const item of items) writeCbor(writer, item);
  const bytes = writer.u8(CBOR_BREAK).u8(0x77).finish();

  const reader = new Reader(bytes, "bundle");
  assertEquals(readCborArray(reader), undefined);
  const found = [];
  while (!readCborBreak(reader)) {
    const start = reader.offset;
    readCbor(reader);
    found.push(reader.since(start));
  }
  assertEquals(found, items.map((item) => encodeCbor(item)));
  assertEquals(reader.rest(), Uint8Array.of(0x77));
});

Deno.test("readCborArray() counts what a definite array holds and refuses the rest", () => {
  const count = (hex: string) => readCborArray(new Reader(decodeHex(hex), "x"));
  assertEquals(count("820102"), 2);
  assertEquals(count("80"), 0);
  assertThrows(() => count("a0"), DecodeError, "want an array");
  assertThrows(() => count("9802"), DecodeError, "shortest form");
  assertThrows(() => count("8201"), DecodeError, "more than");
  assertThrows(() => count("9c"), DecodeError, "reserved");
  assertThrows(() => count(""), DecodeError, "have 0");
  assertThrows(
    () => readCborBreak(new Reader(new Uint8Array(0), "x")),
    DecodeError,
  );
});

function deterministic(): typeof appendixA {
  const rows = appendixA.filter((row) => row.deterministic === undefined);
  assertEquals([rows.length, appendixA.length], [64, 81]);
  return rows;
}

/** Diagnostic notation (RFC 8949 §8) as appendix A writes it. */
function diagnosticOf(value: CborDecoded): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Uint8Array) return `h'${encodeHex(value)}'`;
  if (Array.isArray(value)) return `[${value.map(diagnosticOf).join(", ")}]`;
  if (value instanceof CborTag) {
    return `${value.tag}(${diagnosticOf(value.value)})`;
  }
  if (value instanceof CborSimple) return `simple(${value.value})`;
  if (value instanceof CborFloat) return `${value.value}.0`;
  if (value instanceof Map) {
    const pairs = [...value].map(([k, v]) =>
      `${diagnosticOf(k)}: ${diagnosticOf(v)}`
    );
    return `{${pairs.join(", ")}}`;
  }
  if (Object.is(value, -0)) return "-0.0";
  return `${value}`.replace(/^1e\+/, "1.0e+");
}
