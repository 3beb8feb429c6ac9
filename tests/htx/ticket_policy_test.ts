import { assert, assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { CARRIERS } from "../../src/htx/carrier.ts";
import { HtxError } from "../../src/htx/error.ts";
import {
  DEFAULT_TICKET_POLICY,
  drawCarrier,
  formatTicketOffer,
  formatTicketPolicy,
  parseTicketOffer,
  parseTicketPolicy,
} from "../../src/htx/ticket_policy.ts";

const EXAMPLE = "v1; carriers=cookie:0.5,query:0.3,body:0.2; len=24..64";
const OFFER = {
  policy: DEFAULT_TICKET_POLICY,
  keyId: crypto.random(8),
  publicKey: crypto.random(32),
  cookieName: "__Host-sid",
};

Deno.test("parseTicketPolicy() reads the specification's example and formatTicketPolicy() writes it", () => {
  assertEquals(parseTicketPolicy(EXAMPLE), DEFAULT_TICKET_POLICY);
  assertEquals(formatTicketPolicy(DEFAULT_TICKET_POLICY), EXAMPLE);
  for (
    const line of [
      "v1; carriers=body:1; len=24..24",
      "v1; carriers=cookie:0.0001,query:0.9999; len=30..63",
    ]
  ) {
    assertEquals(formatTicketPolicy(parseTicketPolicy(line)), line);
  }
});

Deno.test("parseTicketPolicy() refuses everything else", () => {
  for (
    const line of [
      "",
      `${EXAMPLE};`,
      ` ${EXAMPLE}`,
      EXAMPLE.replace("v1", "v2"),
      EXAMPLE.replace("; ", ";"),
      EXAMPLE.replace("0.2", "0.3"),
      EXAMPLE.replace("0.2", "0.20000"),
      EXAMPLE.replace("0.2", ".2"),
      EXAMPLE.replace("0.2", "0,2"),
      EXAMPLE.replace("0.2", "-0.2"),
      EXAMPLE.replace("body", "header"),
      EXAMPLE.replace("body", "query"),
      EXAMPLE.replace("body:0.2", "body"),
      EXAMPLE.replace("body:0.2", "body:0.2:0"),
      EXAMPLE.replace("cookie", "__proto__"),
      EXAMPLE.replace("24..64", "23..64"),
      EXAMPLE.replace("24..64", "24..65"),
      EXAMPLE.replace("24..64", "64..24"),
      EXAMPLE.replace("24..64", "24"),
    ]
  ) {
    assertThrows(() => parseTicketPolicy(line), DecodeError, undefined, line);
  }
});

Deno.test("formatTicketPolicy() refuses odds and padding that nobody parses", () => {
  const odds = { cookie: 5000, query: 3000, body: 1999 };
  const p = DEFAULT_TICKET_POLICY;
  assertThrows(() => formatTicketPolicy({ ...p, odds }), RangeError);
  const padding = { ...p, maxPaddingLength: 65 };
  assertThrows(() => formatTicketPolicy(padding), RangeError);
});

Deno.test("parseTicketOffer() reads what formatTicketOffer() writes, and nothing shorter or longer", () => {
  const text = formatTicketOffer(OFFER);
  assertEquals(parseTicketOffer(text), OFFER);
  assert(text.startsWith(`${EXAMPLE}; id=`));
  for (let n = 0; n < text.length - OFFER.cookieName.length + 1; n++) {
    assertThrows(() => parseTicketOffer(text.slice(0, n)), DecodeError);
  }
  for (const bad of [`${text}; x=y`, `${text}=`, text.replace("pub", "PUB")]) {
    assertThrows(() => parseTicketOffer(bad), DecodeError);
  }
  for (
    const bad of [
      { keyId: crypto.random(7) },
      { publicKey: crypto.random(31) },
      { cookieName: "a b" },
      { cookieName: "a".repeat(65) },
    ]
  ) {
    assertThrows(() => formatTicketOffer({ ...OFFER, ...bad }), RangeError);
  }
});

Deno.test("drawCarrier() draws by the odds", () => {
  const counts = { cookie: 0, query: 0, body: 0 };
  const draws = 20_000;
  for (let i = 0; i < draws; i++) {
    counts[drawCarrier(crypto, DEFAULT_TICKET_POLICY)]++;
  }
  let chiSquare = 0;
  for (const carrier of CARRIERS) {
    const wanted = DEFAULT_TICKET_POLICY.odds[carrier] / 10_000 * draws;
    chiSquare += (counts[carrier] - wanted) ** 2 / wanted;
  }
  // 2 degrees of freedom: above 28 once in a million runs.
  assert(chiSquare < 28, `chi-square ${chiSquare}`);
});

Deno.test("drawCarrier() keeps to the carriers that the connection can have", () => {
  const { odds } = parseTicketPolicy("v1; carriers=body:1; len=24..64");
  const onlyBody = { ...DEFAULT_TICKET_POLICY, odds };
  const among = ["cookie", "query"] as const;
  assertThrows(() => drawCarrier(crypto, onlyBody, among), HtxError);
  for (let i = 0; i < 200; i++) {
    assertEquals(drawCarrier(crypto, onlyBody), "body");
    const drawn = drawCarrier(crypto, DEFAULT_TICKET_POLICY, among);
    assert(drawn === "cookie" || drawn === "query");
  }
});
