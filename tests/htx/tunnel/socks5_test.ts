import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import {
  type Credentials,
  encodeSocks5Reply,
  Socks5Handshake,
} from "../../../src/htx/tunnel/socks5.ts";
import { formatTarget } from "../../../src/htx/tunnel/target.ts";

const CREDENTIALS: Credentials = { username: "me", password: "secret" };
const PASSWORD = "01026d6506736563726574";

/** What one client got that sent `bytes`, `step` at a time: what was sent back, and how it ended. */
function converse(hex: string, step: number, credentials?: Credentials) {
  const bytes = Uint8Array.fromHex(hex.replaceAll(" ", ""));
  const handshake = new Socks5Handshake(credentials);
  let [taken, sent, end] = [0, "", "more"];
  for (let n = step; end === "more" && n < bytes.length + step; n += step) {
    for (;;) {
      const next = handshake.next(bytes.subarray(taken, n));
      if (!next) break;
      taken += next.length;
      sent += next.send?.toHex() ?? "";
      if (next.target) end = formatTarget(next.target);
      if (next.refusal) end = next.refusal;
      if (end !== "more") break;
    }
  }
  return { sent, end };
}

const reply = (code: string) => `05${code}0001000000000000`;

const TRANSCRIPTS: [string, string, string, Credentials?][] = [
  ["050100 050100 01 7f000001 0050", "0500", "127.0.0.1:80"],
  ["050100 050100 03 01 61 0050", "0500", "a:80"],
  [
    "050100 050100 04 20010db8000000000000000000000001 01bb",
    "0500",
    "[2001:db8::1]:443",
  ],
  [
    "050100 050100 04 00000000000000000000ffff7f000001 0050",
    "0500",
    "127.0.0.1:80",
  ],
  ["050100 050100 03 09 3132372e302e302e31 0050", "0500", "127.0.0.1:80"],
  ["05020200 050100 03 02 412e 0050", "0500", "a:80"],
  ["050100 050200 01 7f000001 0050", "0500" + reply("07"), "unsupported"],
  ["050100 050300 01 7f000001 0050", "0500" + reply("07"), "unsupported"],
  ["050100 050900 01 7f000001 0050", "0500" + reply("07"), "unsupported"],
  ["050100 050100 02 7f000001 0050", "0500" + reply("08"), "unsupported"],
  ["050100 050100 01 7f000001 0000", "0500" + reply("01"), "malformed"],
  ["050100 050100 03 03 612062 0050", "0500" + reply("01"), "malformed"],
  ["050100 050100 03 05 3132372e31 0050", "0500" + reply("01"), "malformed"],
  ["050102", "05ff", "unauthorized"],
  ["0500", "05ff", "unauthorized"],
  ["050100", "05ff", "unauthorized", CREDENTIALS],
  [
    `050102 ${PASSWORD} 050100 01 7f000001 0050`,
    "05020100",
    "127.0.0.1:80",
    CREDENTIALS,
  ],
  ["05020002 01026d6506736563726575", "05020101", "unauthorized", CREDENTIALS],
  ["050102 01026d6606736563726574", "05020101", "unauthorized", CREDENTIALS],
  ["050102 01000000", "05020101", "unauthorized", CREDENTIALS],
];

for (const [hex, sent, end, credentials] of TRANSCRIPTS) {
  Deno.test(`Socks5Handshake answers ${hex} whole and byte by byte`, () => {
    // One message at most per piece, as a client that awaits answers sends them.
    assertEquals(converse(hex, 1, credentials), { sent, end });
    assertEquals(converse(hex, 1000, credentials), { sent, end });
  });
}

Deno.test("Socks5Handshake asks for more on every truncation of a good conversation", () => {
  for (const [hex, , end, credentials] of TRANSCRIPTS) {
    if (!end.includes(":")) continue;
    const whole = hex.replaceAll(" ", "");
    for (let n = 0; n < whole.length; n += 2) {
      assertEquals(converse(whole.slice(0, n), 1, credentials).end, "more");
    }
  }
});

Deno.test("Socks5Handshake throws on what is not SOCKS5", () => {
  for (
    const hex of [
      "04",
      "47455420",
      "050100 04",
      "050100 050101",
      "050100 05010003 00",
      "050100 05010003 fe",
    ]
  ) assertThrows(() => converse(hex, 1000), DecodeError);
  assertThrows(() => converse("050102 02", 1, CREDENTIALS), DecodeError);
});

Deno.test("encodeSocks5Reply() writes the codes of RFC 1928 and a zero address", () => {
  assertEquals(encodeSocks5Reply("granted").toHex(), reply("00"));
  assertEquals(encodeSocks5Reply("failed").toHex(), reply("01"));
  assertEquals(encodeSocks5Reply("not_allowed").toHex(), reply("02"));
  assertEquals(encodeSocks5Reply("network_unreachable").toHex(), reply("03"));
  assertEquals(encodeSocks5Reply("host_unreachable").toHex(), reply("04"));
  assertEquals(encodeSocks5Reply("refused").toHex(), reply("05"));
  assertEquals(encodeSocks5Reply("timeout").toHex(), reply("06"));
  assertEquals(encodeSocks5Reply("limit").toHex(), reply("01"));
});
