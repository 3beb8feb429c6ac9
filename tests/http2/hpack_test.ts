import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  DecodeError,
  decodeHex,
  encodeHex,
  Reader,
  Writer,
} from "../../src/core/bytes/mod.ts";
import {
  readHpackInteger,
  writeHpackInteger,
} from "../../src/http2/hpack_integer.ts";
import { decodeHuffman, encodeHuffman } from "../../src/http2/huffman.ts";
import {
  type HeaderField,
  HpackDecoder,
  HpackEncoder,
} from "../../src/http2/mod.ts";

// RFC 7541, Appendix C.
const REQUESTS: HeaderField[][] = [
  [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "www.example.com"],
  ],
  [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "www.example.com"],
    ["cache-control", "no-cache"],
  ],
  [
    [":method", "GET"],
    [":scheme", "https"],
    [":path", "/index.html"],
    [":authority", "www.example.com"],
    ["custom-key", "custom-value"],
  ],
];
const REQUESTS_PLAIN = [
  "828684410f7777772e6578616d706c652e636f6d",
  "828684be58086e6f2d6361636865",
  "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
];
const REQUESTS_HUFFMAN = [
  "828684418cf1e3c2e5f23a6ba0ab90f4ff",
  "828684be5886a8eb10649cbf",
  "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
];
const RESPONSES: HeaderField[][] = [
  [
    [":status", "302"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
    ["location", "https://www.example.com"],
  ],
  [
    [":status", "307"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
    ["location", "https://www.example.com"],
  ],
  [
    [":status", "200"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
    ["location", "https://www.example.com"],
    ["content-encoding", "gzip"],
    [
      "set-cookie",
      "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ],
  ],
];
const RESPONSES_PLAIN = [
  "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
  "4803333037c1c0bf",
  "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
];
const RESPONSES_HUFFMAN = [
  "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
  "4883640effc1c0bf",
  "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
];

Deno.test("HpackDecoder reads the examples of RFC 7541 C.3 to C.6", () => {
  for (
    const [blocks, lists, maxTableBytes] of [
      [REQUESTS_PLAIN, REQUESTS, 4_096],
      [REQUESTS_HUFFMAN, REQUESTS, 4_096],
      [RESPONSES_PLAIN, RESPONSES, 256],
      [RESPONSES_HUFFMAN, RESPONSES, 256],
    ] as const
  ) {
    const decoder = new HpackDecoder({ maxTableBytes });
    const read = blocks.map((block) => decoder.decode(decodeHex(block)));
    assertEquals(read, lists);
  }
});

Deno.test("HpackDecoder evicts as RFC 7541 C.6.3 says", () => {
  const decoder = new HpackDecoder({ maxTableBytes: 256 });
  const sizes = RESPONSES_HUFFMAN.map((block) => {
    decoder.decode(decodeHex(block));
    return decoder.tableBytes;
  });
  assertEquals(sizes, [222, 222, 215]);
});

Deno.test("HpackDecoder evicts in a time that does not depend on the table", () => {
  const decoder = new HpackDecoder({ maxTableBytes: 65_536 });
  decoder.decode(Uint8Array.of(0x3f, 0xe1, 0xff, 0x03)); // the table of 65,536
  const block = new Uint8Array(6_000);
  for (let i = 0; i < 2_000; i++) block.set([0x40, 0, 0], 3 * i); // an empty field
  const startMs = performance.now();
  for (let i = 0; i < 200; i++) decoder.decode(block);
  const passedMs = performance.now() - startMs;
  assert(passedMs < 2_000, `${passedMs} ms`); // a tenth of it, unless each of 400,000 fields copies the table
  assertEquals(decoder.tableBytes, 65_536);
});

Deno.test("HpackDecoder keeps order over many evictions", () => {
  const decoder = new HpackDecoder({ maxTableBytes: 330 }); // 10 fields of 33
  const values = Array.from({ length: 100 }, (_, i) => String(i % 10));
  for (const [at, value] of values.entries()) {
    decoder.decode(Uint8Array.of(0x40, 0, 1, value.charCodeAt(0)));
    const live = Math.min(at + 1, 10);
    const all = Uint8Array.from({ length: live }, (_, i) => 0x80 | 62 + i);
    const newestFirst = values.slice(0, at + 1).reverse().slice(0, 10);
    assertEquals(decoder.decode(all).map(([, v]) => v), newestFirst);
    const beyond = Uint8Array.of(0x80 | 62 + live);
    assertThrows(() => decoder.decode(beyond), DecodeError);
  }
});

Deno.test("HpackEncoder writes the examples of RFC 7541 C.4", () => {
  const indexing = () => "incremental" as const;
  const encoder = new HpackEncoder({ indexing });
  const blocks = REQUESTS.map((fields) => encodeHex(encoder.encode(fields)));
  assertEquals(blocks, REQUESTS_HUFFMAN);
});

Deno.test("HPACK integers are those of RFC 7541 C.1", () => {
  for (
    const [value, prefixBits, hex] of [
      [10, 5, "0a"],
      [1_337, 5, "1f9a0a"],
      [42, 8, "2a"],
      [31, 5, "1f00"],
      [127, 7, "7f00"],
      [254, 7, "7f7f"],
      [255, 7, "7f8001"],
    ] as const
  ) {
    const w = new Writer();
    writeHpackInteger(w, value, prefixBits, 0);
    assertEquals(encodeHex(w.finish()), hex);
    const r = new Reader(decodeHex(hex), "integer");
    assertEquals(readHpackInteger(r, prefixBits), value);
    r.end();
  }
});

Deno.test("readHpackInteger() gives up on long integers", () => {
  for (const hex of ["1fffffffffff01", "1f8080808000", "1f80", "1f"]) {
    const r = new Reader(decodeHex(hex), "integer");
    assertThrows(() => readHpackInteger(r, 5), DecodeError);
  }
});

Deno.test("Huffman code carries every byte", () => {
  for (let byte = 0; byte < 256; byte++) {
    const text = `a${String.fromCharCode(byte)}${String.fromCharCode(byte)}`;
    assertEquals(decodeHuffman(encodeHuffman(text)), text);
  }
});

Deno.test("decodeHuffman() rejects bad padding and the end-of-string symbol", () => {
  assertEquals(decodeHuffman(decodeHex("1f")), "a");
  for (const hex of ["1e", "1fff", "ff", "ffffffff", "fffffffc", "07ff"]) {
    assertThrows(() => decodeHuffman(decodeHex(hex)), DecodeError, "Huffman");
  }
});

Deno.test("HpackDecoder rejects malformed blocks", () => {
  for (
    const [hex, reason] of [
      ["80", "index outside"],
      ["be", "index outside"],
      ["7f80808008", "index outside"],
      ["8220", "behind a field"],
      ["3fe21f", "beyond its limit"], // 4,097
      ["0f", "need 1 bytes"],
      ["000161", "need 1 bytes"],
      ["00036162", "need 3 bytes"],
      ["00816100", "Huffman"],
    ] as const
  ) {
    assertThrows(
      () => new HpackDecoder().decode(decodeHex(hex)),
      DecodeError,
      reason,
    );
  }
});

Deno.test("HpackDecoder counts a header list before it keeps it", () => {
  const bomb = new HpackEncoder().encode([["a", "x".repeat(3_000)]]);
  const decoder = new HpackDecoder({ maxHeaderListBytes: 10_000 });
  decoder.decode(bomb);
  const block = new Uint8Array(60_000).fill(0xbe);
  assertThrows(() => decoder.decode(block), RangeError, "beyond 10000 bytes");
});

Deno.test("HpackDecoder wants a smaller table told once its limit shrank", () => {
  const decoder = new HpackDecoder();
  decoder.setMaxTableBytes(100);
  assertThrows(
    () => decoder.decode(Uint8Array.of(0x82)),
    DecodeError,
    "was not made smaller",
  );
  assertEquals(decoder.decode(decodeHex("3f4582")), [[":method", "GET"]]);
});

Deno.test("HpackEncoder tells the smallest and the final table size", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder();
  const fields: HeaderField[] = [["name", "value"]];
  decoder.decode(encoder.encode(fields));
  encoder.setPeerTableBytes(0);
  encoder.setPeerTableBytes(2_048);
  const block = encoder.encode(fields);
  assertEquals(encodeHex(block.subarray(0, 4)), "203fe10f");
  assertEquals(decoder.decode(block), fields);
  assertEquals(decoder.decode(encoder.encode(fields)), fields);
});

Deno.test("HpackEncoder uses no more table than maxTableBytes", () => {
  const encoder = new HpackEncoder({ maxTableBytes: 0 });
  const decoder = new HpackDecoder();
  encoder.setPeerTableBytes(65_536);
  for (let i = 0; i < 3; i++) decoder.decode(encoder.encode([["name", "v"]]));
  assertEquals(decoder.tableBytes, 0);
});

Deno.test("HpackEncoder writes a field as `indexing` says", () => {
  const first = (indexing: "incremental" | "none" | "never") =>
    new HpackEncoder({ indexing: () => indexing })
      .encode([["x-secret", "1"]])[0];
  assertEquals(first("incremental"), 0x40);
  assertEquals(first("none"), 0x00);
  assertEquals(first("never"), 0x10);
  const indexed = new HpackEncoder({ indexing: () => "never" })
    .encode([[":method", "GET"]]);
  assertEquals(indexed[0], 0x12);
});
