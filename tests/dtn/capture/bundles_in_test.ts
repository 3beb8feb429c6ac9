import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, DecodeError } from "../../../src/core/bytes/mod.ts";
import { bundlesIn } from "../../../src/dtn/capture/bundles_in.ts";
import { encodeBundle } from "../../../src/dtn/bundle/bundle.ts";
import { createBundle } from "../../../src/dtn/bundle/create_bundle.ts";
import { mtcpHead } from "../../../src/dtn/mtcp/mtcp_decoder.ts";
import { encodeContactHeader } from "../../../src/dtn/tcpcl/contact_header.ts";
import { encodeMessage } from "../../../src/dtn/tcpcl/message.ts";
import { generator, mutate } from "../../htx/_mutation.ts";
import {
  pcap,
  type Segment,
  tcpPacket,
  udpPacket,
} from "../../utls/_packets.ts";
import { eid } from "../node/_dtn_world.ts";

const THREE_LAYERS = Deno.readFileSync(
  new URL("../../vectors/dtn/three_layers.pcap", import.meta.url),
);
const BUNDLE = encodeBundle(createBundle({
  source: eid("dtn://near/app"),
  destination: eid("dtn://far/in"),
  creation: { timeMs: 1, sequence: 0 },
  lifetimeMs: 1_000,
  payload: new Uint8Array(100).fill(7),
}));

function found(segments: readonly Segment[]) {
  const bundles = bundlesIn(pcap(segments.map(tcpPacket)));
  const hex = [...bundles].map(({ layer, bytes }) =>
    `${layer} ${bytes.toHex()}`
  );
  return { hex, drops: [...bundles.drops] };
}

/** `bytes` behind a SYN, in pieces of `size`. */
function stream(bytes: Uint8Array, size = 50): Segment[] {
  const out: Segment[] = [{
    sequence: 0,
    payload: new Uint8Array(),
    syn: true,
  }];
  for (let at = 0; at < bytes.length; at += size) {
    out.push({ sequence: 1 + at, payload: bytes.subarray(at, at + size) });
  }
  return out;
}

function segmentOf(data: Uint8Array, start: boolean, end: boolean): Uint8Array {
  const transferId = 7n;
  const { length: dataLength } = data;
  return concat(
    encodeMessage({
      ...{ type: "XFER_SEGMENT", start, end, transferId, dataLength },
      extensions: [],
    }),
    data,
  );
}

const TCPCL = concat(
  encodeContactHeader({ canTls: false }),
  encodeMessage({
    type: "SESS_INIT",
    keepaliveS: 30,
    segmentMruBytes: 100,
    transferMruBytes: 1_000,
    nodeId: "dtn://near/",
    extensions: [],
  }),
  segmentOf(BUNDLE.subarray(0, 60), true, false),
  encodeMessage({ type: "KEEPALIVE" }),
  segmentOf(BUNDLE.subarray(60), false, true),
);
const MTCP = concat(mtcpHead(BUNDLE.length), BUNDLE);
const HTTP = concat(
  new TextEncoder().encode(
    `POST /push HTTP/1.1\r\nhost: far\r\ncontent-length: ${BUNDLE.length}\r\n\r\n`,
  ),
  BUNDLE,
);

Deno.test("bundlesIn() finds what our layers sent while dumpcap listened", () => {
  const bundles = bundlesIn(THREE_LAYERS);
  const seen = [...bundles].map(({ layer, bytes, nodeId, destination }) => ({
    ...{ layer, nodeId, address: destination.address },
    length: bytes.length,
  }));
  const address = "127.0.0.1";
  assertEquals(seen.filter(({ layer }) => layer === "tcpcl"), [
    { layer: "tcpcl", nodeId: "dtn://near/", address, length: 79 },
    { layer: "tcpcl", nodeId: "dtn://near/", address, length: 89 },
    { layer: "tcpcl", nodeId: "dtn://near/", address, length: 381 },
  ]);
  const lengths = (wanted: string) =>
    seen.filter(({ layer }) => layer === wanted).map(({ length }) => length)
      .sort((a, b) => a - b);
  assertEquals(lengths("mtcp"), [77, 87, 379]);
  assertEquals(lengths("udp"), [75, 85, 377]);
  assertEquals([...bundles.drops], []);
});

Deno.test("bundlesIn() puts segments in order, and takes none twice", () => {
  for (
    const [bytes, layer] of [
      [TCPCL, "tcpcl"],
      [MTCP, "mtcp"],
      [HTTP, "http"],
    ] as const
  ) {
    const wanted = { hex: [`${layer} ${BUNDLE.toHex()}`], drops: [] };
    for (const size of [1, 7, 1_000]) {
      assertEquals(found(stream(bytes, size)), wanted);
    }
    const [syn, ...rest] = stream(bytes, 20);
    assertEquals(found([syn!, ...rest.toReversed(), ...rest]), wanted);
  }
});

Deno.test("bundlesIn() follows the streams of a session whose SYN it has not seen, from its first byte", () => {
  const [, ...rest] = stream(TCPCL);
  assertEquals(found(rest).hex.length, 1);
});

Deno.test("bundlesIn() says why a stream gives no bundle", () => {
  const header = encodeContactHeader({ canTls: true });
  const tls = concat(header, Uint8Array.of(22, 3, 1, 0, 5));
  const broken = concat(TCPCL, Uint8Array.of(99), TCPCL);
  const [first, second, ...rest] = stream(TCPCL);
  const cases: readonly [readonly Segment[], number, [string, number][]][] = [
    [stream(tls), 0, [["tls", 1]]],
    [stream(broken), 1, [["broken", 1]]],
    [stream(TCPCL.subarray(0, -1)), 0, [["cut", 1]]],
    [stream(MTCP.subarray(0, -1)), 0, [["cut", 1]]],
    [stream(HTTP.subarray(0, -1)), 0, [["cut", 1]]],
    [
      stream(new TextEncoder().encode("POST /mail HTTP/1.1\r\n\r\n")),
      0,
      [["other", 1]],
    ],
    [[first!, ...rest], 0, [["gap", 1]]],
    [stream(new TextEncoder().encode("GET / HTTP/1.1\r\n")), 0, [["other", 1]]],
  ];
  assert(second);
  for (const [segments, count, drops] of cases) {
    const got = found(segments);
    assertEquals([got.hex.length, got.drops], [count, drops]);
  }
});

Deno.test("bundlesIn() takes datagrams that begin as bundles do, and no others", () => {
  const other = Uint8Array.of(0x9f, 0x01, 0xff);
  const bundles = bundlesIn(pcap([udpPacket(BUNDLE), udpPacket(other)]));
  const [only, ...more] = [...bundles];
  assertEquals([only!.layer, only!.bytes, more], ["udp", BUNDLE, []]);
  assertEquals([...bundles.drops], [["other", 1]]);
});

Deno.test("bundlesIn() survives captures cut and mutated anywhere", () => {
  const random = generator(11);
  const read = (file: Uint8Array) => {
    try {
      return [...bundlesIn(file)].length;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return 0;
    }
  };
  for (let end = 24; end < THREE_LAYERS.length; end += 7) {
    assert(read(THREE_LAYERS.subarray(0, end)) <= 9);
  }
  for (let i = 0; i < 2_000; i++) {
    assert(read(mutate(THREE_LAYERS, random)) < 50);
  }
  assertThrows(() => [...bundlesIn(BUNDLE)], DecodeError, "neither");
});
