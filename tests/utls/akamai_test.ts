import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  concat,
  DecodeError,
  decodeHex,
  Writer,
} from "../../src/core/bytes/mod.ts";
import { hexDigest } from "../../src/core/crypto/mod.ts";
import {
  connectionPreface,
  encodeFrame,
  encodePriority,
  encodeSettings,
  FLAG,
  FRAME_TYPE,
} from "../../src/http2/mod.ts";
import { akamai, akamaiText } from "../../src/utls/mod.ts";
import { generator, mutate } from "../htx/_mutation.ts";
import { captures } from "./_chrome_captures.ts";
import { publishedHellos } from "./_foxio.ts";

const { spec_examples } = publishedHellos();
const start = decodeHex(captures()[0]!.h2.raw);

/** `:method: GET`, `:path: /`, `:scheme: https` of the static table. */
const REQUEST = decodeHex("828487");

function frame(
  type: number,
  payload: Uint8Array,
  { flags = 0, streamId = 0 } = {},
): Uint8Array {
  return encodeFrame({ type, flags, streamId, payload });
}

Deno.test("akamai() gives the published digests of Chrome's texts", () => {
  const digests = new Map(spec_examples.akamai.map((e) => [e.text, e.md5]));
  const seen = new Set<string>();
  for (const { h2, version } of captures()) {
    const bytes = decodeHex(h2.raw);
    const text = akamaiText(bytes)!;
    assertEquals(text, h2.akamai_text, String(version));
    assertEquals(akamai(bytes), digests.get(text));
    seen.add(text);
  }
  assertEquals(seen.size, 3);
});

Deno.test("akamaiText() writes what is absent, priorities and a header block in pieces", () => {
  const continuation = { flags: FLAG.endHeaders, streamId: 1 };
  const priority = { exclusive: true, dependency: 3, weight: 201 };
  const bytes = concat(
    connectionPreface(),
    frame(FRAME_TYPE.settings, encodeSettings([[4, 131_072], [0x1a2a, 7]])),
    frame(FRAME_TYPE.windowUpdate, new Writer().u32(9).finish(), {
      streamId: 1,
    }),
    frame(FRAME_TYPE.priority, encodePriority(priority), { streamId: 5 }),
    frame(FRAME_TYPE.headers, REQUEST.subarray(0, 1), { streamId: 1 }),
    frame(FRAME_TYPE.continuation, REQUEST.subarray(1), continuation),
  );
  const text = "4:131072|00|5:1:3:201|m,p,s";
  assertEquals(akamaiText(bytes), text);
  assertEquals(akamai(bytes), hexDigest("md5", text));
});

Deno.test("akamaiText() is undefined until the first request is whole", () => {
  const whole = akamaiText(start);
  let ends = 0;
  for (let length = 0; length <= start.length; length++) {
    const text = akamaiText(start.subarray(0, length));
    assert(text === undefined || text === whole);
    if (text === undefined) ends = length;
  }
  assert(ends > 100);
});

Deno.test("akamaiText() rejects what is no HTTP/2, and frames without end", () => {
  assertThrows(
    () => akamaiText(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")),
    DecodeError,
    "no connection preface",
  );
  const pings = Array.from(
    { length: 65 },
    () => frame(FRAME_TYPE.ping, new Uint8Array(8)),
  );
  assertThrows(
    () => akamaiText(concat(connectionPreface(), ...pings)),
    DecodeError,
    "too many frames",
  );
});

Deno.test("20,000 mutated starts of HTTP/2 have a fingerprint, none yet, or fail with DecodeError", () => {
  const random = generator(2);
  for (let i = 0; i < 20_000; i++) {
    const mutated = mutate(start.subarray(24), random);
    try {
      akamaiText(concat(connectionPreface(), mutated));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
});
