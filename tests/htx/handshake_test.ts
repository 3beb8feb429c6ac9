import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, DecodeError, utf8 } from "../../src/core/bytes/mod.ts";
import { generateX25519, nodeProvider } from "../../src/core/crypto/mod.ts";
import { HandshakeState } from "../../src/core/noise/mod.ts";
import { HtxError } from "../../src/htx/error.ts";
import { decodeFrameHeader, FRAME_TYPE } from "../../src/htx/frame.ts";
import {
  type Handshake,
  HYBRID_REQUIRED_FROM_MS,
  PROTOCOL_ID,
  SUITE,
} from "../../src/htx/handshake.ts";
import {
  encodeParameters,
  MAX_PARAMETERS_LENGTH,
  parameters,
} from "../../src/htx/parameters.ts";
import { Opener, Sealer } from "../../src/htx/protection.ts";
import {
  advance,
  type HandshakePair,
  handshakePair,
  taker,
} from "./_handshake_pair.ts";

const CLASSIC = { classic: true };

function assertCode(fn: () => unknown, code: string): void {
  assertEquals(assertThrows(fn, HtxError).code, code);
}

/** Whether a frame that one end seals opens at the other, both ways. */
function framesOpen({ client, server }: HandshakePair): boolean {
  const [a, b] = [client.established!.keys, server.established!.keys];
  return opens(a.client, b.client) && opens(b.server, a.server);
}

function opens(
  sealing: ConstructorParameters<typeof Sealer>[1],
  opening: ConstructorParameters<typeof Opener>[1],
): boolean {
  const frame = new Uint8Array(29);
  new Sealer(nodeProvider, sealing, 0).seal(FRAME_TYPE.ping, 0, 9, frame, 0);
  const header = decodeFrameHeader(frame, 0, frame.length, 9)!;
  try {
    new Opener(nodeProvider, opening).open(frame, 0, header);
    return true;
  } catch (error) {
    assert(error instanceof HtxError && error.code === "unauthenticated");
    return false;
  }
}

for (
  const [suite, classic] of [["hybrid", false], ["classic", true]] as const
) {
  Deno.test(`Handshake gives both ends the same keys: ${suite} suite`, () => {
    const pair = handshakePair(
      { classic, parameters: parameters({ maxStreams: 20 }) },
      { classic: true, parameters: parameters({ maxStreams: 30 }) },
    );
    assertEquals(advance(pair, 0)[0], SUITE[suite]);
    advance(pair, 3, (step) => 100 * step);
    const [client, server] = [
      pair.client.established!,
      pair.server.established!,
    ];
    assertEquals(client.keys, server.keys);
    assert(framesOpen(pair));
    assertEquals(
      [client.local.maxStreams, client.remote.maxStreams],
      [20, 30],
    );
    assertEquals(
      [server.local.maxStreams, server.remote.maxStreams],
      [30, 20],
    );
    assertEquals([client.rttMs, server.rttMs], [200, 200]);
    assertEquals(
      server.remoteStaticKey,
      pair.clientInit.staticKeyPair.publicKey,
    );
    assertEquals(
      client.remoteStaticKey,
      pair.serverInit.staticKeyPair.publicKey,
    );
  });

  Deno.test(`Handshake takes messages byte by byte and keeps what follows: ${suite} suite`, () => {
    const pair = handshakePair({ classic }, CLASSIC);
    let message: Uint8Array | undefined = pair.client.start(0);
    for (let i = 0; i < 3; i++) {
      message = feedSlowly(taker(pair, i), message!);
    }
    assertEquals(message, undefined);
    assert(framesOpen(pair));

    const other = handshakePair({ classic }, CLASSIC);
    const last = advance(other, 2);
    other.server.feed(concat(last, utf8("frames")), 0);
    assertEquals(other.server.established!.leftover, utf8("frames"));
  });

  Deno.test(`Handshake refuses every changed byte of every message: ${suite} suite`, () => {
    for (let index = 0; index < 3; index++) {
      const { length } = advance(handshakePair({ classic }, CLASSIC), index);
      for (let at = 0; at < length; at++) {
        const pair = handshakePair({ classic }, CLASSIC);
        const message = advance(pair, index);
        message[at]! ^= 1 << at % 8;
        assertRefused(taker(pair, index), message, `${index}: byte ${at}`);
      }
    }
  });

  Deno.test(`Handshake waits at every cut of a message and refuses it as a whole one: ${suite} suite`, () => {
    for (let index = 0; index < 3; index++) {
      const start = index === 0 ? 1 : 0;
      const { length } = advance(handshakePair({ classic }, CLASSIC), index);
      for (let cut = start + 2; cut < length; cut += 7) {
        const pair = handshakePair({ classic }, CLASSIC);
        const message = advance(pair, index).slice(0, cut);
        assertEquals(taker(pair, index).feed(message, 0), undefined);
        assertEquals(taker(pair, index).established, undefined);

        const other = handshakePair({ classic }, CLASSIC);
        const shorter = advance(other, index).slice(0, cut);
        new DataView(shorter.buffer).setUint16(start, cut - start - 2);
        assertRefused(taker(other, index), shorter, `${index}: cut at ${cut}`);
      }
    }
  });
}

/** Feeds one byte at a time and returns the answer that the last one gave. */
function feedSlowly(
  end: Handshake,
  message: Uint8Array,
): Uint8Array | undefined {
  const last = message.length - 1;
  for (let i = 0; i < last; i++) {
    assertEquals(end.feed(message.subarray(i, i + 1), 0), undefined);
    assertEquals(end.established, undefined);
  }
  return end.feed(message.subarray(last), 0);
}

/** A typed error, or waiting for bytes that a longer length promises; no outcome in any case. */
function assertRefused(end: Handshake, bytes: Uint8Array, what: string): void {
  try {
    assertEquals(end.feed(bytes, 0), undefined, what);
  } catch (error) {
    assert(error instanceof HtxError || error instanceof DecodeError, what);
  }
  assertEquals(end.established, undefined, what);
}

Deno.test("Handshake never falls back to the classic suite", () => {
  const wantsClassic = handshakePair(CLASSIC);
  assertCode(() => advance(wantsClassic, 1), "incompatible");

  const pair = handshakePair({}, CLASSIC);
  const message = advance(pair, 0);
  message[0] = SUITE.classic;
  assertCode(() => pair.server.feed(message, 0), "malformed");

  const back = handshakePair(CLASSIC, CLASSIC);
  const classic = advance(back, 0);
  classic[0] = SUITE.hybrid;
  assertCode(() => back.server.feed(classic, 0), "malformed");
});

Deno.test("Handshake refuses the classic suite from 2027-01-01 on, whatever is enabled", () => {
  const before = { ...CLASSIC, wallTimeMs: HYBRID_REQUIRED_FROM_MS - 1 };
  const after = { ...CLASSIC, wallTimeMs: HYBRID_REQUIRED_FROM_MS };
  assertEquals(HYBRID_REQUIRED_FROM_MS, Date.parse("2027-01-01T00:00:00Z"));
  advance(handshakePair(before, before));
  assertCode(() => advance(handshakePair(after, before), 0), "incompatible");
  assertCode(() => advance(handshakePair(before, after), 1), "incompatible");
  const hybrid = { wallTimeMs: HYBRID_REQUIRED_FROM_MS };
  const pair = handshakePair(hybrid, after);
  advance(pair);
  assert(framesOpen(pair));
});

Deno.test("Handshake refuses unknown suites at their first byte", () => {
  for (const suite of [0x00, 0x03, 0x16, 0x47, 0xff]) {
    const { server } = handshakePair({}, CLASSIC);
    assertCode(() => server.feed(Uint8Array.of(suite), 0), "incompatible");
  }
});

Deno.test("Handshake refuses another ticket, and a server key that is not the pinned one", () => {
  const ticketHash = new Uint8Array(32).fill(8);
  assertCode(
    () => advance(handshakePair({ ticketHash }), 1),
    "unauthenticated",
  );
  const stranger = generateX25519(nodeProvider);
  const pinned = { remoteStaticKey: stranger.publicKey };
  assertCode(() => advance(handshakePair(pinned), 1), "unauthenticated");
  assertCode(
    () => advance(handshakePair({}, { staticKeyPair: stranger }), 1),
    "unauthenticated",
  );
});

Deno.test("Handshake does not take an answer from who does not own the pinned key", () => {
  const stranger = generateX25519(nodeProvider);
  const { client } = handshakePair();
  client.start(0);
  const other = handshakePair({ remoteStaticKey: stranger.publicKey }, {
    staticKeyPair: stranger,
  });
  const answer = advance(other, 1);
  assertCode(() => client.feed(answer, 0), "unauthenticated");
});

Deno.test("Handshake under another outer exporter leads to keys that open nothing", () => {
  const [a, b] = [1, 2].map((n) => new Uint8Array(64).fill(n)) as [
    Uint8Array,
    Uint8Array,
  ];
  for (
    const [client, server, same] of [
      [{ exporter: a }, { exporter: a }, true],
      [{ exporter: a }, { exporter: b }, false],
      [{ exporter: a }, {}, false],
      [{}, { exporter: b }, false],
    ] as const
  ) {
    const pair = handshakePair(client, server);
    advance(pair);
    assertEquals(framesOpen(pair), same);
  }
});

Deno.test("Handshake refuses impossible lengths before their bytes arrive", () => {
  for (let index = 0; index < 3; index++) {
    const start = index === 0 ? [SUITE.hybrid] : [];
    for (const length of [0, 1, 15, 4_000, 0x7fff, 0xffff]) {
      const pair = handshakePair();
      advance(pair, index);
      const end = index === 0 ? handshakePair().server : taker(pair, index);
      const bytes = Uint8Array.of(...start, length >> 8, length & 0xff);
      assertCode(() => end.feed(bytes, 0), "malformed");
    }
  }
});

/** What the server makes of a client whose last message says `payload`. */
function sendParameters(payload: Uint8Array): Handshake {
  const { server, clientInit, serverInit } = handshakePair();
  const suite = Uint8Array.of(SUITE.hybrid);
  using noise = new HandshakeState({
    crypto: nodeProvider,
    pattern: "XK",
    hash: "SHA256",
    hybrid: true,
    role: "initiator",
    prologue: concat(utf8(PROTOCOL_ID), suite, clientInit.ticketHash),
    staticKeyPair: clientInit.staticKeyPair,
    remoteStaticKey: serverInit.staticKeyPair.publicKey,
  });
  const framed = (message: Uint8Array) =>
    concat(Uint8Array.of(message.length >> 8, message.length), message);
  const answer = server.feed(concat(suite, framed(noise.writeMessage())), 0)!;
  noise.readMessage(answer.subarray(2));
  server.feed(framed(noise.writeMessage(payload)), 0);
  return server;
}

Deno.test("Handshake refuses parameters that are malformed or too long", () => {
  const good = sendParameters(encodeParameters(parameters()));
  assertEquals(good.established!.remote, parameters());
  for (const bad of [[], [0xff], [0xa1, 0x01, 0x0f], [0xa0, 0x00]]) {
    assertThrows(() => sendParameters(Uint8Array.from(bad)), DecodeError);
  }
  assertThrows(
    () => sendParameters(new Uint8Array(MAX_PARAMETERS_LENGTH)),
    DecodeError,
  );
  assertCode(
    () => sendParameters(new Uint8Array(MAX_PARAMETERS_LENGTH + 1)),
    "malformed",
  );
});
