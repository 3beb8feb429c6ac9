import { assert, assertEquals } from "@std/assert";
import {
  concat,
  decodeHex,
  encodeHex,
  Writer,
} from "../../src/core/bytes/mod.ts";
import { hellosIn } from "../../src/utls/mod.ts";
import {
  MAX_HELLO_BYTES,
  MAX_HELLOS,
} from "../../src/utls/capture/hello_messages.ts";
import { MAX_PREAMBLE_BYTES } from "../../src/utls/capture/tls_stream.ts";
import {
  MAX_FLOWS,
  MAX_PENDING_BYTES,
  MAX_PENDING_PIECES,
  Reassembly,
} from "../../src/core/capture/mod.ts";
import { generator } from "../htx/_mutation.ts";
import { captures, flows } from "./_chrome_captures.ts";
import { pcap, type Segment, tcpPacket } from "./_packets.ts";

const record = decodeHex(captures().at(-1)!.full[0]!.record);
const message = record.subarray(5);

function follow(segments: readonly Segment[]) {
  const found = hellosIn(pcap(segments.map(tcpPacket)));
  const messages = [...found].map(({ message }) => encodeHex(message));
  return { messages, drops: [...found.drops] };
}

/** `bytes` from sequence number `first` on, in pieces of `size`. */
function segments(bytes: Uint8Array, size: number, first = 1): Segment[] {
  const out: Segment[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const sequence = (first + at) >>> 0;
    out.push({ sequence, payload: bytes.subarray(at, at + size) });
  }
  return out;
}

const found = (...messages: readonly Uint8Array[]) => ({
  messages: messages.map(encodeHex),
  drops: [],
});

Deno.test("a hello is followed through segments of any size", () => {
  for (const size of [1, 2, 5, 100, 1460]) {
    assertEquals(follow(segments(record, size)), found(message));
  }
});

Deno.test("a hello is followed through disorder, retransmission and overlap, and past 2^32", () => {
  const random = generator(4);
  for (let round = 0; round < 200; round++) {
    const first = 0xffffff00 + random(512);
    const pieces = segments(record, 20 + random(400), first);
    for (let i = 0; i < 8; i++) {
      const at = random(record.length);
      pieces.push({
        sequence: (first + at) >>> 0,
        payload: record.subarray(at, at + random(500)),
      });
    }
    pieces.sort(() => random(3) - 1);
    const syn = {
      sequence: (first - 1) >>> 0,
      payload: new Uint8Array(0),
      syn: true,
    };
    assertEquals(follow([syn, ...pieces]), found(message));
  }
});

Deno.test("data within the SYN counts, and a SYN with another number starts anew", () => {
  const opening = { sequence: 99, payload: record, syn: true };
  assertEquals(follow([opening]), found(message));
  const cut = { sequence: 1, payload: record.subarray(0, 700) };
  assertEquals(follow([cut, opening]), {
    ...found(message),
    drops: [["evicted", 1]],
  });
  const dial = { sequence: 7, payload: new Uint8Array(0), syn: true };
  assertEquals(follow([dial, opening]), found(message)); // nothing was lost
});

Deno.test("a hello is followed in any order of its segments without SYN", () => {
  const [one, two, three] = segments(record, 700);
  assertEquals(record.length < 2_100, true);
  for (
    const order of [
      [one, three, two],
      [two, one, three],
      [two, three, one],
      [three, one, two],
      [three, two, one],
    ]
  ) {
    assertEquals(follow(order.map((each) => each!)), found(message));
  }
});

Deno.test("TLS may follow something else in the stream", () => {
  const socks = { sequence: 1, payload: decodeHex("050100") };
  const tls = segments(record, 1000, 4);
  assertEquals(follow([socks, ...tls]), found(message));
  const like = { sequence: 1, payload: decodeHex("1603") }; // looks like the start of a record
  assertEquals(follow([like, ...segments(record, 3, 3)]), found(message));
});

Deno.test("a hello is followed over several records, and both of a HelloRetryRequest are found", () => {
  const split = concat(
    decodeHex("1603010064"),
    message.subarray(0, 100),
    decodeHex("1603010000"),
    decodeHex("16030100c8"),
    message.subarray(100, 300),
    decodeHex("160301"),
    Uint8Array.of((message.length - 300) >> 8, (message.length - 300) & 255),
    message.subarray(300),
  );
  assertEquals(follow(segments(split, 700)), found(message));
  const retry = flows()["hrr-p384"]!.find(({ hellos }) => hellos.length === 2);
  const [one, two] = retry!.hellos.map(({ record }) => decodeHex(record));
  const flight = concat(one!, decodeHex("140303000101"), two!);
  assertEquals(
    follow(segments(flight, 900)),
    found(one!.subarray(5), two!.subarray(5)),
  );
});

Deno.test("what follows the hellos is not read", () => {
  const data = concat(record, decodeHex("1703030001ff"), record);
  assertEquals(follow(segments(data, 800)), found(message));
  const finished = concat(record, decodeHex("160303000414000000"), record);
  assertEquals(follow(segments(finished, 800)), found(message));
});

Deno.test("of one side MAX_HELLOS hellos are read, however small", () => {
  const tiny = decodeHex("1603010008" + "0100000001000000");
  const flight = concat(...Array.from({ length: 100 }, () => tiny));
  assertEquals(
    follow([{ sequence: 1, payload: flight }]).drops,
    [["undecodable", MAX_HELLOS]],
  );
});

Deno.test("gaps, oversized and malformed hellos are counted", () => {
  const [first, , ...rest] = segments(record, 100);
  assertEquals(follow([first!, ...rest]).drops, [["gap", 1]]);
  const ofLength = (length: number) => {
    const head = new Writer().u8(1).u24(length - 4).finish();
    const payload = concat(decodeHex("1603014000"), head);
    return follow([{ sequence: 1, payload }]).drops;
  };
  assertEquals(ofLength(MAX_HELLO_BYTES), []);
  assertEquals(ofLength(MAX_HELLO_BYTES + 1), [["oversized", 1]]);
  const broken = record.slice();
  broken[43] = 40; // session id
  assertEquals(
    follow([{ sequence: 1, payload: broken }]).drops,
    [["undecodable", 1]],
  );
});

Deno.test("a stream without TLS is given up after MAX_PREAMBLE_BYTES", () => {
  const behind = (length: number) => {
    const noise = new Uint8Array(length).fill(0x20);
    return follow([
      ...segments(noise, 1_024),
      ...segments(record, 1_460, 1 + length),
    ]);
  };
  assertEquals(behind(MAX_PREAMBLE_BYTES), found(message));
  assertEquals(behind(MAX_PREAMBLE_BYTES + 1), found());
});

Deno.test("of more than 4,096 streams the one unused for longest gives way", () => {
  const half = record.subarray(0, 50);
  const opened = Array.from({ length: MAX_FLOWS + 10 }, (_, i) => ({
    sequence: 1,
    payload: half,
    sourcePort: 1 + i,
  }));
  const rest = { sequence: 51, payload: record.subarray(50) };
  const kept = { ...rest, sourcePort: MAX_FLOWS + 10 };
  const evicted = { ...rest, sourcePort: 1 };
  assertEquals(follow([...opened, kept, evicted]), {
    messages: [encodeHex(message)],
    drops: [["evicted", 11]],
  });
  const whole = opened.map((segment) => ({ ...segment, payload: record }));
  assertEquals(follow(whole).drops, []); // what was found is not given up
});

Deno.test("Reassembly bounds what waits behind a gap, in pieces and in bytes", () => {
  const pieces = new Reassembly();
  for (let i = 0; i < MAX_PENDING_PIECES; i++) {
    assertEquals(pieces.insert(10 + 2 * i, Uint8Array.of(i)), []);
  }
  assertEquals(pieces.insert(5, Uint8Array.of(0)), undefined);
  assertEquals(pieces.insert(10, Uint8Array.of(0)), []); // is there already
  const large = new Reassembly();
  assertEquals(large.insert(1, new Uint8Array(MAX_PENDING_BYTES)), []);
  assertEquals(large.insert(2, Uint8Array.of(0)), undefined);
  const ready = large.insert(0, Uint8Array.of(0))!;
  assertEquals(ready.map(({ length }) => length), [1, MAX_PENDING_BYTES]);
  assert(!large.hasGap);
  assertEquals(large.insert(MAX_PENDING_BYTES + 2, new Uint8Array(9)), []);
});

Deno.test("Reassembly keeps the bytes that came first", () => {
  const reassembly = new Reassembly();
  assertEquals(reassembly.insert(0, Uint8Array.of(1, 2)), [
    Uint8Array.of(1, 2),
  ]);
  assertEquals(reassembly.insert(1, Uint8Array.of(9, 3)), [Uint8Array.of(3)]);
  assertEquals(reassembly.insert(0, Uint8Array.of(7)), []);
  assertEquals(reassembly.next, 3);
});
