import { assertEquals, assertThrows } from "@std/assert";
import {
  type Bytes,
  DecodeError,
  encodeHex,
} from "../../src/core/bytes/mod.ts";
import {
  decodeDatagram,
  encodeBundle,
  encodeDecision,
  encodePending,
} from "../../src/betanet_cla/datagram.ts";

const BUNDLE = new Uint8Array([9, 8, 7]);

Deno.test("datagrams are laid out as the table says, and come back", () => {
  const cases: [Bytes, string, unknown][] = [
    [
      encodeBundle(258, BUNDLE),
      "01" + "00000102" + "090807",
      { kind: "bundle", id: 258, bundle: BUNDLE },
    ],
    [
      encodeDecision(0xffffffff, undefined),
      "02" + "ffffffff" + "00",
      { kind: "answer", id: 0xffffffff, outcome: { kind: "acknowledged" } },
    ],
    [
      encodeDecision(1, "noResources"),
      "02" + "00000001" + "02",
      {
        kind: "answer",
        id: 1,
        outcome: { kind: "refused", reason: "noResources" },
      },
    ],
    [encodePending(2), "03" + "00000002", { kind: "pending", id: 2 }],
  ];
  for (const [bytes, hex, said] of cases) {
    assertEquals(encodeHex(bytes), hex);
    assertEquals(decodeDatagram(bytes), said as typeof said & object);
  }
});

Deno.test("decodeDatagram() refuses what is cut, goes on, or is of no kind", () => {
  const wrong = [
    encodePending(1).slice(0, 4),
    encodeDecision(1, undefined).slice(0, 5),
    new Uint8Array([...encodePending(1), 0]),
    new Uint8Array([...encodeDecision(1, undefined), 0]),
    new Uint8Array([2, 0, 0, 0, 1, 7]),
    new Uint8Array([0, 0, 0, 0, 1]),
    new Uint8Array([4, 0, 0, 0, 1]),
    new Uint8Array(),
  ];
  for (const bytes of wrong) {
    assertThrows(() => decodeDatagram(bytes), DecodeError, "", `${bytes}`);
  }
});
