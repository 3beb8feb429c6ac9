import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import { formatIp, parseIp } from "../../../src/core/bytes/mod.ts";
import {
  decodeOpenReply,
  decodeOpenRequest,
  encodeOpenReply,
  encodeOpenRequest,
  formatTarget,
  OPEN_REPLY,
  OPEN_REQUEST_LIMIT,
  type OpenReply,
  parseTarget,
} from "../../../src/htx/tunnel/target.ts";

const LONGEST = [63, 63, 63, 61].map((n) => "a".repeat(n)).join(".");

Deno.test("parseIp() takes canonical and equivalent texts, formatIp() prints RFC 5952", () => {
  const canonical: [string, string][] = [
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["0001:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:7f00:1", "127.0.0.1"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
  ];
  for (const [text, want] of canonical) {
    assertEquals(formatIp(parseIp(text)!), want, text);
  }
});

Deno.test("parseIp() refuses what is not a plain address", () => {
  for (
    const text of [
      "",
      "1.2.3",
      "1.2.3.4.5",
      "01.2.3.4",
      "256.1.1.1",
      "0x7f.0.0.1",
      "1.2.3.4 ",
      "-1.2.3.4",
      ":",
      ":::",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4::5:6:7:8",
      "12345::",
      "g::",
      "::1%eth0",
      "[::1]",
      "1.2.3.4::",
      "::1.2.3",
      "::1.2.3.4:5",
      "::".repeat(30),
    ]
  ) assertEquals(parseIp(text), undefined, text);
});

Deno.test("parseTarget() takes names and addresses and refuses ambiguous ones", () => {
  const good: [string, string][] = [
    ["Example.COM:443", "example.com:443"],
    ["example.com.:443", "example.com:443"],
    ["xn--bcher-kva.example:1", "xn--bcher-kva.example:1"],
    ["_dmarc.a-b.example:65535", "_dmarc.a-b.example:65535"],
    ["127.0.0.1:80", "127.0.0.1:80"],
    ["[::1]:80", "[::1]:80"],
    ["[::ffff:10.0.0.1]:80", "10.0.0.1:80"],
    [`${LONGEST}:80`, `${LONGEST}:80`],
  ];
  for (const [text, want] of good) {
    assertEquals(formatTarget(parseTarget(text)!), want, text);
  }
  for (
    const text of [
      "",
      ":80",
      "example.com",
      "example.com:",
      "example.com:0",
      "example.com:65536",
      "example.com:1e3",
      "example.com:+80",
      "::1:80",
      "[::1]",
      "[127.0.0.1]:80",
      "[example.com]:80",
      "127.1:80",
      "2130706433:80",
      "0x7f000001:80",
      "0177.0.0.1:80",
      "example.0x1:80",
      "a..b:80",
      "-a.example:80",
      "a b:80",
      "user@host:80",
      "bücher.example:80",
      "host\0:80",
      `a${LONGEST}:80`,
      `${"a".repeat(64)}.example:80`,
    ]
  ) assertEquals(parseTarget(text), undefined, text);
});

const REQUESTS: [string, string][] = [
  ["127.0.0.1:80", "01017f0000010050"],
  ["[2001:db8::1]:65535", "010420010db8000000000000000000000001ffff"],
  ["a.example:443", "010309612e6578616d706c6501bb"],
];

Deno.test("encodeOpenRequest() and decodeOpenRequest() agree with the byte table", () => {
  for (const [text, hex] of REQUESTS) {
    const target = parseTarget(text)!;
    const bytes = encodeOpenRequest(target);
    assertEquals(bytes.toHex(), hex);
    const length = bytes.length;
    const early = Uint8Array.from([...bytes, 1, 2, 3]);
    assertEquals(decodeOpenRequest(early), { value: target, length });
    for (let n = 0; n < length; n++) {
      assertEquals(decodeOpenRequest(bytes.subarray(0, n)), undefined);
    }
  }
  const longest = encodeOpenRequest({ host: LONGEST, port: 1 });
  assertEquals(longest.length, OPEN_REQUEST_LIMIT);
});

Deno.test("decodeOpenRequest() has one encoding per target, whatever bit is flipped", () => {
  for (const [, hex] of REQUESTS) {
    const bytes = Uint8Array.fromHex(hex);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      try {
        const decoded = decodeOpenRequest(flipped);
        if (!decoded) continue;
        assertEquals(
          encodeOpenRequest(decoded.value),
          flipped.slice(0, decoded.length),
        );
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
  }
});

Deno.test("decodeOpenRequest() refuses malformed requests as soon as it can", () => {
  for (
    const hex of [
      "02",
      "0102",
      "010300",
      "0103fe",
      "01017f0000010000", // port 0
      "010301410050", // upper case
      "01030261 2e0050".replace(" ", ""), // trailing dot
      "010309" + "3132372e302e302e31" + "0050", // an address as a name
      "0104" + "00".repeat(10) + "ffff7f000001" + "0050", // IPv4-mapped
      "010303" + "610062" + "0050",
    ]
  ) assertThrows(() => decodeOpenRequest(Uint8Array.fromHex(hex)), DecodeError);
});

Deno.test("encodeOpenRequest() refuses targets that are not canonical", () => {
  for (const host of ["A.example", "127.1", "::ffff:1.2.3.4", ""]) {
    assertThrows(() => encodeOpenRequest({ host, port: 80 }), TypeError);
  }
  for (const port of [0, 65_536, 1.5]) {
    assertThrows(() => encodeOpenRequest({ host: "a", port }), TypeError);
  }
});

Deno.test("decodeOpenReply() reads every code and refuses others", () => {
  for (const reply of Object.keys(OPEN_REPLY) as OpenReply[]) {
    const bytes = encodeOpenReply(reply);
    assertEquals(decodeOpenReply(bytes), { value: reply, length: 2 });
    assertEquals(decodeOpenReply(bytes.subarray(0, 1)), undefined);
  }
  assertThrows(() => decodeOpenReply(Uint8Array.of(1, 7)), DecodeError);
  assertThrows(() => decodeOpenReply(Uint8Array.of(0)), DecodeError);
});
