import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Bytes,
  concat,
  DecodeError,
  decodeHex,
  encodeHex,
  Reader,
  Writer,
} from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { hellosIn } from "../../src/utls/mod.ts";
import { readCryptoFrames } from "../../src/utls/capture/quic_frames.ts";
import {
  type InitialKeys,
  initialKeys,
  openInitial,
  readInitials,
  readVarint,
} from "../../src/utls/capture/quic_initial.ts";
import { generator, mutate } from "../htx/_mutation.ts";
import { captures, messageOf } from "./_chrome_captures.ts";
import { pcap, udpPacket } from "./_packets.ts";
import vectors from "../vectors/rfc9001/appendix_a.json" with { type: "json" };

const destinationId = decodeHex(vectors.destination_id);
const client = decodeHex(vectors.client_packet);
const server = decodeHex(vectors.server_packet);
const V2 = 0x6b3343cf;

function hex({ key, iv, hp }: InitialKeys) {
  return { key: encodeHex(key), iv: encodeHex(iv), hp: encodeHex(hp) };
}

function keysOf(version: number, sender: "client" | "server", id: Uint8Array) {
  return initialKeys(nodeProvider, version, id, sender);
}

/** A client's Initial packet with these frames and PADDING up to 1,200 bytes. */
function seal(
  unpadded: Uint8Array,
  { version = 1, number = 0, id = destinationId } = {},
): Bytes {
  const frames = concat(
    unpadded,
    new Uint8Array(Math.max(0, 1_200 - unpadded.length)),
  );
  const { key, iv, hp } = keysOf(version, "client", id);
  const first = version === 1 ? 0xc1 : 0xd1;
  const header = new Writer().u8(first).u32(version).u8(id.length).put(id)
    .u8(0).u8(0).u16(0x4000 | (2 + frames.length + 16)).u16(number).finish();
  const nonce = iv.slice();
  nonce[10]! ^= number >> 8;
  nonce[11]! ^= number & 0xff;
  using aead = nodeProvider.aesGcm(key);
  const sealed = aead.seal(nonce, frames, header);
  const mask = nodeProvider.aesCtr(
    hp,
    sealed.subarray(2, 18),
    new Uint8Array(16),
  );
  header[0]! ^= mask[0]! & 0x0f;
  header[header.length - 2]! ^= mask[1]!;
  header[header.length - 1]! ^= mask[2]!;
  return concat(header, sealed);
}

function cryptoFrame(offset: number, data: Uint8Array): Bytes {
  return new Writer().u8(6).u32(0x80000000 + offset).u16(0x4000 | data.length)
    .put(data).finish();
}

function messages(...packets: readonly Uint8Array[]) {
  const found = hellosIn(pcap(packets));
  return {
    hellos: [...found].map(({ from, message }) => [from, encodeHex(message)]),
    drops: [...found.drops],
  };
}

Deno.test("initialKeys() gives the keys of RFC 9001 A.1 and RFC 9369 A.1", () => {
  assertEquals(hex(keysOf(1, "client", destinationId)), vectors.v1.client);
  assertEquals(hex(keysOf(1, "server", destinationId)), vectors.v1.server);
  assertEquals(hex(keysOf(V2, "client", destinationId)), vectors.v2.client);
});

Deno.test("openInitial() opens the packets of RFC 9001 A.2 and A.3", () => {
  for (
    const [sender, packet, payload] of [
      ["client", client, vectors.client_payload],
      ["server", server, vectors.server_payload],
    ] as const
  ) {
    const [sealed] = readInitials(packet);
    const keys = keysOf(1, sender, destinationId);
    const frames = openInitial(nodeProvider, sealed!, keys)!;
    assertEquals(encodeHex(frames).replace(/(00)+$/, ""), payload);
    const wrong = keysOf(1, sender, destinationId.subarray(1));
    assertEquals(openInitial(nodeProvider, sealed!, wrong), undefined);
  }
});

Deno.test("hellosIn() finds both hellos of RFC 9001's connection", () => {
  const { hellos, drops } = messages(
    udpPacket(client),
    udpPacket(server, true),
  );
  assertEquals(hellos.map(([from]) => from), ["client", "server"]);
  assertEquals(hellos[0]![1], vectors.client_payload.slice(8));
  assertEquals(drops, []);
  assertEquals(messages(udpPacket(server, true)), {
    hellos: [],
    drops: [["undecryptable", 1]],
  });
});

Deno.test("hellosIn() puts CRYPTO frames together over packets and datagrams, in both versions", () => {
  const hello = messageOf(captures().at(-1)!.full[0]!);
  for (const version of [1, V2]) {
    const frames = [0, 700, 300, 1_400, 200, 1_000, 600].map((offset) =>
      cryptoFrame(offset, hello.subarray(offset, offset + 401))
    );
    const end = cryptoFrame(1_801, hello.subarray(1_801));
    const padding = new Uint8Array(100);
    const one = concat(Uint8Array.of(1), frames[3]!, padding, frames[1]!);
    const two = concat(...frames.slice(4), end, frames[2]!);
    const ack = decodeHex("0200000000" + "0300400001000001020003");
    const packets = [
      seal(one, { version }),
      seal(two, { version, number: 1 }),
      seal(concat(ack, frames[0]!), { version, number: 300 }),
    ];
    assertEquals(
      messages(udpPacket(packets[2]!), udpPacket(concat(...packets))),
      { hellos: [["client", encodeHex(hello)]], drops: [] },
    );
  }
});

Deno.test("hellosIn() follows a client whose keys a Retry has changed", () => {
  const hello = messageOf(captures()[0]!.full[0]!);
  const packet = seal(cryptoFrame(0, hello), { id: decodeHex("aabbccdd") });
  const { hellos, drops } = messages(udpPacket(client), udpPacket(packet));
  assertEquals(hellos.map(([, message]) => message), [
    vectors.client_payload.slice(8),
    encodeHex(hello),
  ]);
  assertEquals(drops, []);
});

/** Half of `hello` in a packet of the connection with the id `id`. */
function half(hello: Uint8Array, id: number, part: 0 | 1): Bytes {
  const offset = part * 1_000;
  const frame = cryptoFrame(offset, hello.subarray(offset, offset + 1_000));
  return udpPacket(
    seal(frame, { id: new Uint8Array(8).fill(id), number: part }),
  );
}

Deno.test("hellosIn() follows connections that share both endpoints", () => {
  const [one, two] = captures().at(-1)!.full.map((captured) =>
    messageOf(captured).subarray(0, 2_000)
  );
  const { hellos, drops } = messages(
    half(one!, 1, 0),
    half(two!, 2, 0),
    half(one!, 1, 1),
    half(two!, 2, 1),
  );
  assertEquals(hellos.map(([, message]) => message), [
    encodeHex(one!),
    encodeHex(two!),
  ]);
  assertEquals(drops, []);
});

Deno.test("hellosIn() counts the connections that give way to others between the same endpoints", () => {
  const hello = messageOf(captures().at(-1)!.full[0]!);
  const starts = Array.from({ length: 10 }, (_, id) => half(hello, id, 0));
  assertEquals(messages(...starts), { hellos: [], drops: [["evicted", 2]] });
});

Deno.test("hellosIn() derives no keys for datagrams that no client would start with", () => {
  const packet = seal(cryptoFrame(0, decodeHex("0100")));
  const counted = { ...nodeProvider, hmac: () => assert(false) as never };
  const [sealed] = readInitials(client.subarray(0, 1_200));
  const short = concat(sealed!.header, sealed!.body).subarray(0, 1_199);
  short[17] = 0x9d; // length of the packet, one less
  const capture = pcap([udpPacket(short)]);
  const found = hellosIn(capture, counted);
  assertEquals([...found], []);
  assertEquals([...found.drops], [["undecryptable", 1]]);
  assertThrows(() => [...hellosIn(pcap([udpPacket(packet)]), counted)]);
});

Deno.test("20,000 mutated frames of Initial packets decode or fail with DecodeError", () => {
  const random = generator(6);
  const frames = concat(
    decodeHex("0200000000" + "0300400001000001020003"),
    cryptoFrame(7, new Uint8Array(50)),
    decodeHex("1c0006026f6b01"),
  );
  let decoded = 0;
  for (let i = 0; i < 20_000; i++) {
    try {
      for (const _ of readCryptoFrames(mutate(frames, random))) decoded++;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  assert(decoded > 5_000, `${decoded} frames`);
});

Deno.test("readInitials() leaves what is no Initial of a known version", () => {
  const isEmpty = (datagram: Uint8Array) =>
    assertEquals([...readInitials(datagram)], []);
  isEmpty(new Uint8Array(0));
  isEmpty(decodeHex("40ffffffffffff"));
  isEmpty(concat(decodeHex("c0ff00001d"), client.subarray(5)));
  isEmpty(decodeHex("f000000001000000aabbccdd")); // Retry
  isEmpty(decodeHex("e00000000100000401020304")); // Handshake
  assertThrows(() => [...readInitials(client.subarray(0, 900))], DecodeError);
  const longId = client.slice();
  longId[5] = 21;
  assertThrows(() => [...readInitials(longId)], DecodeError, "connection id");
});

Deno.test("openInitial() and readCryptoFrames() reject what is too short or not allowed", () => {
  const keys = keysOf(1, "client", destinationId);
  const body = new Uint8Array(19);
  const sealed = { version: 1, destinationId, header: client, body };
  assertThrows(() => openInitial(nodeProvider, sealed, keys), DecodeError);
  for (const frames of ["06004001", "08", "1c0000", "02000040ff", "1e"]) {
    assertThrows(
      () => [...readCryptoFrames(decodeHex(frames))],
      DecodeError,
    );
  }
  const closed = decodeHex("1c0006026f6b" + "0600" + "0141");
  assertEquals([...readCryptoFrames(closed)], [
    { offset: 0, data: Uint8Array.of(0x41) },
  ]);
});

Deno.test("readVarint() reads RFC 9000 A.1, longer forms too, and no number beyond 2^53", () => {
  const read = (text: string) => readVarint(new Reader(decodeHex(text), "v"));
  assertEquals(read("9d7f3e7d"), 494_878_333);
  assertEquals(read("7bbd"), 15_293);
  assertEquals(read("25"), 37);
  assertEquals(read("4025"), 37);
  assertEquals(read("c01fffffffffffff"), Number.MAX_SAFE_INTEGER);
  assertThrows(() => read("c020000000000000"), DecodeError);
  assert(Number.isInteger(read("00")));
});
