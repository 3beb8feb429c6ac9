import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import {
  concat,
  decodeBase64Url,
  DecodeError,
  decodeHex,
  encodeBase64Url,
  encodeHex,
} from "../../src/core/bytes/mod.ts";
import {
  CryptoError,
  generateX25519,
  nodeProvider as crypto,
} from "../../src/core/crypto/mod.ts";
import {
  decodeTicket,
  deriveAccessTicket,
  encodeTicket,
  makeTicket,
  ticketHash,
  ticketHour,
} from "../../src/htx/ticket.ts";
import vectors from "../vectors/betanet/betanet-1.1.json" with { type: "json" };

const v = vectors.ticket;
const KEY_ID = decodeHex(v.ticketKeyID);

Deno.test("deriveAccessTicket() gives the vector's value from either side, for every accepted hour", () => {
  const ofClient = crypto.x25519.sharedSecret(
    decodeHex(v.cliPriv),
    decodeHex(v.ticketPub),
  );
  const ofServer = crypto.x25519.sharedSecret(
    decodeHex(v.ticketPriv),
    decodeHex(v.cliPub),
  );
  assertEquals(encodeHex(ofClient), v.sharedSecret);
  assertEquals(encodeHex(ofServer), v.sharedSecret);
  assertEquals(ticketHour(v.unixTime * 1000), v.hour);
  for (const [hour, wanted] of Object.entries(v.acceptedHours)) {
    const input = { sharedSecret: ofServer, keyId: KEY_ID, hour: Number(hour) };
    assertEquals(encodeHex(deriveAccessTicket(crypto, input)), wanted);
  }
});

Deno.test("encodeTicket() and decodeTicket() agree with the vector", () => {
  const payload = decodeBase64Url(v.base64url);
  assertEquals(encodeHex(payload), v.payload);
  const ticket = decodeTicket(payload);
  assertEquals(encodeHex(ticket.clientPublicKey), v.cliPub);
  assertEquals(encodeHex(ticket.keyId), v.ticketKeyID);
  assertEquals(encodeHex(ticket.nonce), v.nonce32);
  assertEquals(encodeHex(ticket.accessTicket), v.accessTicket);
  const encoded = encodeTicket(ticket, decodeHex(v.pad));
  assertEquals(encodeBase64Url(encoded), v.base64url);
});

Deno.test("decodeTicket() wants version 1 and 24 to 64 bytes of padding", () => {
  const fixed = decodeHex(v.payload).slice(0, 105);
  for (let padding = 0; padding <= 70; padding++) {
    const payload = concat(fixed, new Uint8Array(padding));
    if (padding >= 24 && padding <= 64) decodeTicket(payload);
    else assertThrows(() => decodeTicket(payload), DecodeError);
  }
  for (let length = 0; length < 105; length++) {
    assertThrows(() => decodeTicket(fixed.slice(0, length)), DecodeError);
  }
  const payload = decodeHex(v.payload);
  for (const version of [0, 2, 0x81]) {
    payload[0] = version;
    assertThrows(() => decodeTicket(payload), DecodeError, "unknown version");
  }
});

Deno.test("makeTicket() makes what the server derives, never the same twice", () => {
  const server = generateX25519(crypto);
  const options = {
    ticketPublicKey: server.publicKey,
    keyId: KEY_ID,
    wallTimeMs: v.unixTime * 1000 + 3_599_999,
  };
  const payload = makeTicket(crypto, options);
  const ticket = decodeTicket(payload);
  const sharedSecret = crypto.x25519.sharedSecret(
    server.privateKey.expose(),
    ticket.clientPublicKey,
  );
  const input = { sharedSecret, keyId: KEY_ID, hour: v.hour };
  assertEquals(deriveAccessTicket(crypto, input), ticket.accessTicket);
  const other = decodeTicket(makeTicket(crypto, options));
  assertNotEquals(other.clientPublicKey, ticket.clientPublicKey);
  assertNotEquals(other.nonce, ticket.nonce);
  assertNotEquals(other.accessTicket, ticket.accessTicket);
});

Deno.test("makeTicket() draws every padding length of the policy equally often", () => {
  const { publicKey } = generateX25519(crypto);
  const cheap = {
    ...crypto,
    x25519: { publicKey: () => publicKey, sharedSecret: () => publicKey },
  };
  const counts = new Array(65).fill(0);
  const draws = 4000;
  for (let i = 0; i < draws; i++) {
    const payload = makeTicket(cheap, {
      ticketPublicKey: publicKey,
      keyId: KEY_ID,
      wallTimeMs: 0,
      minPaddingLength: 30,
      maxPaddingLength: 49,
    });
    counts[payload.length - 105]++;
  }
  const wanted = draws / 20;
  let chiSquare = 0;
  for (let n = 30; n <= 49; n++) {
    chiSquare += (counts[n] - wanted) ** 2 / wanted;
    counts[n] = 0;
  }
  assertEquals(counts.every((n) => n === 0), true);
  // 19 degrees of freedom: above 61 once in a million runs.
  assertEquals(chiSquare < 61, true, `chi-square ${chiSquare}`);
});

Deno.test("makeTicket() refuses padding, ids and keys that no server accepts", () => {
  const { publicKey } = generateX25519(crypto);
  const good = { ticketPublicKey: publicKey, keyId: KEY_ID, wallTimeMs: 0 };
  for (
    const bad of [
      { minPaddingLength: 23 },
      { maxPaddingLength: 65 },
      { minPaddingLength: 40, maxPaddingLength: 39 },
      { minPaddingLength: 24.5 },
      { keyId: new Uint8Array(7) },
    ]
  ) {
    assertThrows(() => makeTicket(crypto, { ...good, ...bad }), RangeError);
  }
  const lowOrder = { ...good, ticketPublicKey: new Uint8Array(32) };
  assertThrows(() => makeTicket(crypto, lowOrder), CryptoError);
});

Deno.test("ticketHash() covers the padding", () => {
  const payload = decodeHex(v.payload);
  const hash = ticketHash(crypto, payload);
  assertEquals(hash, crypto.hash("sha256", payload));
  payload[payload.length - 1]! ^= 1;
  assertNotEquals(ticketHash(crypto, payload), hash);
});
