import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { CONTENT_TYPE } from "../../src/tls/record.ts";
import { RecordKeys } from "../../src/tls/record_keys.ts";
import { RecordOpener } from "../../src/tls/record_opener.ts";
import { RecordSealer } from "../../src/tls/record_sealer.ts";
import { CIPHER_SUITE, type Suite, suiteOf } from "../../src/tls/suite.ts";

const { applicationData, handshake } = CONTENT_TYPE;

Deno.test("seal() writes plaintext records until it has keys", () => {
  const sealer = new RecordSealer();
  assertEquals(
    sealer.seal(handshake, Uint8Array.of(7), 0x0301),
    Uint8Array.of(22, 3, 1, 0, 1, 7),
  );
});

Deno.test("seal() cuts content at the peer's record size limit", () => {
  const sealer = new RecordSealer();
  sealer.limitContent(64);
  const out = sealer.seal(handshake, new Uint8Array(130));
  assertEquals(out.length, 130 + 3 * 5);
  assertEquals([out[4], out[5 + 64 + 4], out[2 * (5 + 64) + 4]], [64, 64, 2]);
  assertThrows(() => sealer.limitContent(62), RangeError);
  assertThrows(() => sealer.limitContent(16_385), RangeError);
});

for (const id of Object.values(CIPHER_SUITE)) {
  Deno.test(`records of suite ${id.toString(16)} open in order, also after key updates`, () => {
    const suite = suiteOf(id)!;
    const [sealer, opener] = pair(suite);
    for (let generation = 0; generation < 3; generation++) {
      for (const length of [0, 1, 16_384, 40_000]) {
        const content = crypto.getRandomValues(new Uint8Array(length));
        opener.feed(sealer.seal(applicationData, content));
        let at = 0;
        for (let record; (record = opener.next());) {
          assertEquals(
            record.content,
            content.subarray(at, at + record.content.length),
          );
          at += record.content.length;
        }
        assertEquals(at, length);
      }
      sealer.updateKeys();
      opener.updateKeys();
    }
  });
}

Deno.test("records open where they came, unless in parts: what they hold stays while the input does", () => {
  const [sealer, opener] = pair(suiteOf(CIPHER_SUITE.aes256GcmSha384)!);
  const contents = [1, 2, 3, 4].map((fill) => new Uint8Array(1_000).fill(fill));
  const bytes = concat(
    ...contents.map((content) => sealer.seal(applicationData, content)),
  );
  const opened: Uint8Array[] = [];
  for (const part of [bytes.slice(0, 500), bytes.slice(500, 2_600)]) {
    opener.feed(part);
    for (let record; (record = opener.next());) opened.push(record.content);
  }
  opener.feed(bytes.slice(2_600));
  for (let record; (record = opener.next());) opened.push(record.content);
  assertEquals(opened, contents);
  assertEquals(opened[1]!.buffer.byteLength, 2_100);
});

Deno.test("updateDue() is true before the suite's limit of records is passed, leaving one for the KeyUpdate", () => {
  const suite = { ...suiteOf(CIPHER_SUITE.aes128GcmSha256)!, maxRecords: 10 };
  const [sealer] = pair(suite);
  assert(!sealer.updateDue(9 * 16_384));
  assert(sealer.updateDue(9 * 16_384 + 1));
  sealer.seal(applicationData, new Uint8Array(9 * 16_384));
  assert(sealer.updateDue(1));
  sealer.updateKeys();
  assert(!sealer.updateDue(1));
});

Deno.test("AES-GCM seals at most 2^24.5 records under one key (RFC 8446 §5.5)", () => {
  const { aes128GcmSha256, aes256GcmSha384 } = CIPHER_SUITE;
  for (const id of [aes128GcmSha256, aes256GcmSha384]) {
    assertEquals(suiteOf(id)!.maxRecords, 23_726_566);
  }
});

Deno.test("the nonce is the IV with the sequence number XORed in, all 64 bits of it", () => {
  const suite = suiteOf(CIPHER_SUITE.chacha20Poly1305Sha256)!;
  using keys = new RecordKeys(nodeProvider, suite, new Uint8Array(32));
  const iv = keys.nonce().slice();
  for (let i = 0; i < 0x10203; i++) keys.advance();
  const expected = iv.slice();
  expected[9]! ^= 1;
  expected[10]! ^= 2;
  expected[11]! ^= 3;
  assertEquals(keys.nonce(), expected);
});

Deno.test("skipEarlyData() drops records that do not open, up to the limit, until one opens", () => {
  const suite = suiteOf(CIPHER_SUITE.aes128GcmSha256)!;
  const [sealer, opener] = pair(suite);
  const [stranger] = pair(suite, 9);
  const early = stranger.seal(applicationData, new Uint8Array(100));
  opener.skipEarlyData(2 * (early.length - 5));
  opener.feed(early);
  assertEquals(opener.next(), undefined);
  opener.feed(early);
  assertEquals(opener.next(), undefined);
  opener.feed(sealer.seal(handshake, Uint8Array.of(1)));
  assertEquals(opener.next()?.content, Uint8Array.of(1));
  opener.feed(early);
  assertThrows(() => opener.next(), Error, "does not open");
});

function pair(suite: Suite, fill = 1): [RecordSealer, RecordOpener] {
  const keys = () =>
    new RecordKeys(
      nodeProvider,
      suite,
      new Uint8Array(suite.hashLength).fill(fill),
    );
  const [sealer, opener] = [new RecordSealer(), new RecordOpener()];
  sealer.useKeys(keys());
  opener.useKeys(keys());
  return [sealer, opener];
}
