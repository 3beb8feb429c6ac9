import { assertEquals, assertThrows } from "@std/assert";
import {
  concat,
  decodeHex,
  encodeHex,
  utf8,
} from "../../../src/core/bytes/mod.ts";
import { TcpclError } from "../../../src/dtn/tcpcl/error.ts";
import { transferLengthItem } from "../../../src/dtn/tcpcl/extension_item.ts";
import {
  encodeMessage,
  type Message,
  REFUSE_REASONS,
  REJECT_REASONS,
  TERM_REASONS,
} from "../../../src/dtn/tcpcl/message.ts";
import {
  type Decoded,
  MessageDecoder,
} from "../../../src/dtn/tcpcl/message_decoder.ts";
import { decodeAll, hdtnSaid, tcpclv4 } from "./_vectors.ts";

const MESSAGES: readonly Message[] = [
  {
    type: "SESS_INIT",
    keepaliveS: 30,
    segmentMruBytes: 64_000,
    transferMruBytes: Number.MAX_SAFE_INTEGER,
    nodeId: "dtn://n1/",
    extensions: [{ critical: true, type: 0x8001, value: utf8("x") }],
  },
  ...REFUSE_REASONS.map((reason): Message => ({
    type: "XFER_REFUSE",
    reason,
    transferId: 2n ** 64n - 1n,
  })),
  ...TERM_REASONS.map((reason, i): Message => ({
    type: "SESS_TERM",
    reply: i % 2 === 0,
    reason,
  })),
  ...REJECT_REASONS.map((reason): Message => ({
    type: "MSG_REJECT",
    reason,
    messageType: 0x42,
  })),
  {
    type: "XFER_ACK",
    start: true,
    end: false,
    transferId: 7n,
    ackedLength: 123_456,
  },
  { type: "KEEPALIVE" },
];

Deno.test("SESS_INIT reads and writes as others have it", () => {
  for (const vector of tcpclv4.sess_init) {
    const bytes = decodeHex(vector.hex);
    if (vector.note) {
      assertEquals(errorOf(bytes), "malformed"); // its extension items are none
      continue;
    }
    const { keepalive, segment_mru, transfer_mru, node_id } = vector;
    const message: Message = {
      type: "SESS_INIT",
      keepaliveS: keepalive!,
      segmentMruBytes: segment_mru!,
      transferMruBytes: transfer_mru!,
      nodeId: node_id!,
      extensions: [],
    };
    assertEquals(decodeAll(bytes), [message]);
    assertEquals(encodeMessage(message), bytes);
  }
});

Deno.test("XFER_SEGMENT has extension items only where a transfer starts", () => {
  const [whole] = tcpclv4.xfer_segment;
  const [middle] = tcpclv4.xfer_segment_mid_rfc;
  for (const [{ hex }, start] of [[whole!, true], [middle!, false]] as const) {
    const bytes = decodeHex(hex);
    const segment: Message = {
      type: "XFER_SEGMENT",
      start,
      end: start,
      transferId: 1n,
      extensions: [],
      dataLength: 3,
    };
    assertEquals(decodeAll(bytes), [
      segment,
      { type: "data", data: utf8("uff"), last: true },
    ]);
    assertEquals(concat(encodeMessage(segment), utf8("uff")), bytes);
  }
  const [legacy] = tcpclv4.xfer_segment_mid_dtn7go_legacy;
  const [segment] = decodeAll(decodeHex(legacy!.hex).subarray(0, 18));
  assertEquals(segment?.type === "XFER_SEGMENT" && segment.dataLength, 0);
});

Deno.test("the short messages read and write as others have them", () => {
  const { xfer_ack, xfer_refuse, keepalive, sess_term, msg_reject } = tcpclv4;
  const hexes = [
    ...[...xfer_ack, ...xfer_refuse, ...sess_term, ...msg_reject]
      .map(({ hex }) => hex),
    ...keepalive,
    ...hdtnSaid("passive_hdtn").slice(1).map((bytes) => encodeHex(bytes)),
  ];
  for (const hex of hexes) {
    const [message, ...more] = decodeAll(decodeHex(hex));
    assertEquals(more, []);
    assertEquals(encodeHex(encodeMessage(message as Message)), hex);
  }
});

Deno.test("every message survives encoding, cut anywhere", () => {
  const data = utf8("some data of a segment");
  const segment: Message = {
    type: "XFER_SEGMENT",
    start: true,
    end: false,
    transferId: 2n ** 63n,
    extensions: [
      transferLengthItem(99),
      { critical: true, type: 0xffff, value: new Uint8Array() },
    ],
    dataLength: data.length,
  };
  const stream = concat(
    ...MESSAGES.map(encodeMessage),
    encodeMessage(segment),
    data,
    encodeMessage({ type: "KEEPALIVE" }),
  );
  const expected: Decoded[] = [
    ...MESSAGES,
    segment,
    { type: "data", data, last: true },
    { type: "KEEPALIVE" },
  ];
  for (let cut = 0; cut <= stream.length; cut++) {
    assertEquals(
      decodeAll(stream.subarray(0, cut), stream.subarray(cut)),
      expected,
    );
  }
  const single = Array.from(stream, (byte) => new Uint8Array([byte]));
  assertEquals(decodeAll(...single), expected);
});

Deno.test("codes that nobody has assigned read as unknown or unsupported", () => {
  assertEquals(decodeAll(decodeHex("0509ff")), [
    { type: "SESS_TERM", reply: true, reason: "unknown" },
  ]);
  assertEquals(decodeAll(decodeHex("03ff0000000000000001")), [
    { type: "XFER_REFUSE", reason: "unknown", transferId: 1n },
  ]);
  for (const reason of ["00", "ff"]) {
    assertEquals(decodeAll(decodeHex(`06${reason}09`)), [
      { type: "MSG_REJECT", reason: "unsupported", messageType: 9 },
    ]);
  }
});

Deno.test("lengths above 2^53 - 1 read as that", () => {
  const hex = `070000${"ff".repeat(16)}000000000000`;
  const [init] = decodeAll(decodeHex(hex));
  assertEquals(
    init?.type === "SESS_INIT" && [init.segmentMruBytes, init.transferMruBytes],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  );
});

Deno.test("MessageDecoder refuses unknown types, long heads, cut items and node ids that are not UTF-8", () => {
  const init = `07${"00".repeat(18)}`;
  assertEquals(errorOf(decodeHex("00")), "unknown");
  assertEquals(errorOf(decodeHex("08")), "unknown");
  assertEquals(errorOf(decodeHex("64746e210400")), "unknown");
  assertEquals(errorOf(decodeHex(`${init}0401`)), "limit");
  assertEquals(errorOf(decodeHex(`${init}000000001001`)), "limit");
  assertEquals(
    errorOf(decodeHex("0102000000000000000000001001")),
    "limit",
  );
  assertEquals(errorOf(decodeHex(`${init}0001ff00000000`)), "malformed");
  assertEquals(
    errorOf(
      decodeHex(`0102${"00".repeat(8)}00000004000001ff${"00".repeat(8)}`),
    ),
    "malformed",
  );
  assertEquals(
    errorOf(
      decodeHex(`0102${"00".repeat(8)}0000000600000100ff00${"00".repeat(8)}`),
    ),
    "malformed",
  );
});

Deno.test("MessageDecoder gives what came before a fault, and the type at fault", () => {
  const decoder = new MessageDecoder();
  const decoding = decoder.decode(decodeHex("0404ee"));
  assertEquals(decoding.next().value, { type: "KEEPALIVE" });
  assertEquals(decoding.next().value, { type: "KEEPALIVE" });
  assertThrows(() => decoding.next(), TcpclError);
  assertEquals(decoder.messageType, 0xee);
});

function errorOf(bytes: Uint8Array): string {
  return assertThrows(() => decodeAll(bytes), TcpclError).code;
}
