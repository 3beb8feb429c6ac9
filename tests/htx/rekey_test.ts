import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, equal } from "../../src/core/bytes/mod.ts";
import {
  checkedProvider,
  CryptoError,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import { HtxError } from "../../src/htx/error.ts";
import {
  decodeFrameHeader,
  FRAME_TYPE,
  TAG_LENGTH,
} from "../../src/htx/frame.ts";
import {
  nextTrafficKeys,
  type TrafficKeys,
  writeNonce,
} from "../../src/htx/keys.ts";
import { Opener, REKEY_LIMITS, Sealer } from "../../src/htx/protection.ts";
import { MuxPair, pattern, readAll, testKeys } from "./_mux_pair.ts";

Deno.test("data in flight both ways survives a thousand rekeys of each side", () => {
  const pair = new MuxPair({ rekey: { ...REKEY_LIMITS, frames: 4 } });
  const ends = [pair.client, pair.server] as const;
  const up = pair.client.mux.open();
  pair.exchange();
  const down = pair.server.opened[0]!;
  const streams = [up, down] as const;
  const got: [Uint8Array[], Uint8Array[]] = [[], []];
  const sent: [number, number] = [0, 0];
  while (ends.some(({ mux }) => mux.stats.rekeysOut < 1_000)) {
    const inFlight = ends.map((end, i) => {
      if (!streams[i]!.chunk) {
        end.mux.offer(streams[i]!, pattern(3_000, ++sent[i]!));
      }
      return pair.batch(end);
    });
    ends.forEach((end, i) => {
      end.mux.feed(inFlight[1 - i]!, pair.nowMs);
      got[i]!.push(readAll(end, streams[i]!));
    });
  }
  pair.exchange();
  ends.forEach((end, i) => {
    got[i]!.push(readAll(end, streams[i]!));
    const bytes = concat(...got[i]!);
    const want = Array.from(
      { length: sent[1 - i]! },
      (_, n) => pattern(3_000, n + 1),
    );
    assert(bytes.length > 1_000_000);
    assert(equal(bytes, concat(...want)));
    assert(end.mux.stats.rekeysIn >= 1_000);
  });
});

Deno.test("each key opens its own frames and none of those after a KEY_UPDATE", () => {
  const pair = new MuxPair({ rekey: { ...REKEY_LIMITS, frames: 5 } });
  const stream = pair.client.mux.open();
  for (let i = 0; i < 40; i++) {
    pair.client.mux.offer(stream, pattern(50, i));
    pair.exchange();
  }
  let keys: TrafficKeys = testKeys().client;
  let old: TrafficKeys | undefined;
  let counter = 0;
  let updates = 0;
  for (const batch of pair.client.sent) {
    for (let at = 0; at < batch.length;) {
      const header = decodeFrameHeader(batch, at, batch.length, 65_536)!;
      const start = at + header.headerLength;
      const end = start + header.length + TAG_LENGTH;
      const frame = [
        batch.subarray(start, end),
        batch.subarray(at, start),
      ] as const;
      if (old) {
        for (let c = 0; c < 6; c++) {
          assertThrows(() => open(old!, c, ...frame), CryptoError);
        }
      }
      open(keys, counter++, ...frame);
      if (header.type === FRAME_TYPE.keyUpdate) {
        old = keys;
        keys = nextTrafficKeys(nodeProvider, keys);
        counter = 0;
        updates++;
      }
      at = end;
    }
  }
  assertEquals(updates, pair.client.mux.stats.rekeysOut);
  assert(updates >= 8);
});

Deno.test("Sealer asks for a rekey at 2^16 frames, 8 GiB or one hour (§5.3)", () => {
  assertEquals(REKEY_LIMITS, {
    frames: 2 ** 16,
    bytes: 8 * 2 ** 30,
    ageMs: 3_600_000,
  });
  const sealer = new Sealer(nodeProvider, testKeys().client, 0);
  const out = new Uint8Array(64);
  for (let i = 0; i < 2 ** 16 - 1; i++) {
    assert(!sealer.rekeyDue(0, 1));
    sealer.seal(FRAME_TYPE.ping, 0, 1, out, 0);
  }
  assert(sealer.rekeyDue(0, 1));
  sealer.rekey(1_000);
  assert(!sealer.rekeyDue(1_000, 1));
  assert(!sealer.rekeyDue(3_600_999, 1));
  assert(sealer.rekeyDue(3_601_000, 1));
  assert(sealer.rekeyDue(1_000, 8 * 2 ** 30));
});

Deno.test("Opener refuses a peer that keeps its key beyond 2^16 frames", () => {
  const sealer = new Sealer(nodeProvider, testKeys().client, 0);
  const opener = new Opener(nodeProvider, testKeys().client);
  const out = new Uint8Array(32);
  const header = {
    type: FRAME_TYPE.ping,
    streamId: 0,
    headerLength: 4,
    length: 1,
  };
  for (let i = 0; i < 2 ** 16; i++) {
    sealer.seal(FRAME_TYPE.ping, 0, 1, out, 0);
    opener.open(out, 0, header);
  }
  sealer.seal(FRAME_TYPE.ping, 0, 1, out, 0);
  const error = assertThrows(() => opener.open(out, 0, header), HtxError);
  assertEquals(error.code, "violation");
});

Deno.test("an idle session rekeys after one hour", () => {
  const pair = new MuxPair();
  assertEquals(pair.client.mux.dueAtMs, 3_600_000);
  pair.nowMs = 3_600_000;
  pair.client.mux.tick(pair.nowMs);
  pair.exchange();
  assertEquals(pair.server.mux.stats.rekeysIn, 1);
});

Deno.test("a disposed Sealer seals nothing", () => {
  const sealer = new Sealer(nodeProvider, testKeys().client, 0);
  sealer[Symbol.dispose]();
  assertThrows(
    () => sealer.seal(FRAME_TYPE.ping, 0, 1, new Uint8Array(32), 0),
    HtxError,
    "wiped",
  );
});

Deno.test("Sealer and Opener wipe the provider's copy of each key", () => {
  for (const make of [Sealer, Opener]) {
    const copies: Uint8Array[] = [];
    const crypto = checkedProvider({
      ...nodeProvider,
      chacha20poly1305(copy) {
        copies.push(copy);
        return nodeProvider.chacha20poly1305(copy);
      },
    });
    const half = new make(crypto, testKeys().client, 0);
    half.rekey(0);
    assertEquals(copies.map(isZero), [true, false]);
    half[Symbol.dispose]();
    assertEquals(copies.map(isZero), [true, true]);
  }
});

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function open(
  keys: TrafficKeys,
  counter: number,
  ciphertext: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  const nonce = new Uint8Array(12);
  writeNonce(keys.nonceSalt, counter, nonce);
  return nodeProvider.chacha20poly1305(keys.key).open(nonce, ciphertext, aad);
}

Deno.test("Sealer refuses limits above those of §5.3", () => {
  for (
    const limit of [
      { frames: 2 ** 16 + 1 },
      { frames: 1 },
      { bytes: 8 * 2 ** 30 + 1 },
      { ageMs: 3_600_001 },
    ]
  ) {
    const limits = { ...REKEY_LIMITS, ...limit };
    const make = () => new Sealer(nodeProvider, testKeys().client, 0, limits);
    assertThrows(make, RangeError);
  }
});

Deno.test("Opener refuses a peer that keeps its key beyond 8 GiB", () => {
  const opener = new Opener(nodeProvider, testKeys().client);
  const length = 2 ** 31;
  const header = {
    type: FRAME_TYPE.ping,
    streamId: 0,
    headerLength: 4,
    length,
  };
  const codes = Array.from({ length: 6 }, () =>
    assertThrows(
      () => opener.open(new Uint8Array(64), 0, header),
      HtxError,
    ).code);
  assertEquals(codes.slice(0, 4), new Array(4).fill("unauthenticated"));
  assertEquals(codes.at(-1), "violation");
});

Deno.test("keys are overwritten when their time is over", () => {
  const { client } = testKeys();
  const first = client.key;
  const sealer = new Sealer(nodeProvider, client, 0);
  assert(first.some((byte) => byte !== 0));
  sealer.rekey(0);
  assert(first.every((byte) => byte === 0));
  assert(client.secret.every((byte) => byte === 0));
});
