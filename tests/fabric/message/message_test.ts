import { assert, assertEquals, assertThrows } from "@std/assert";
import { decode, encode } from "cbor-x";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import { createBundle, Eid, encryptionOf } from "../../../src/dtn/mod.ts";
import {
  decodeMessage,
  encodeMessage,
  FabricError,
  type Message,
  openMessage,
  SEALED_OVERHEAD,
  sealMessage,
} from "../../../src/fabric/mod.ts";
import { encodedLength } from "../../../src/fabric/message/message.ts";
import { agentOf, crypto } from "../_agents.ts";

const ana = agentOf("ana@hill");
const bob = agentOf("bob@dale");
const eve = agentOf("eve@dale");

const message: Message = {
  id: new Uint8Array(16).fill(1),
  kind: "request",
  from: ana.id,
  to: bob.id,
  type: "chat.say",
  priority: "high",
  createdMs: 1_000,
  deadlineMs: 31_000,
  order: { sequence: 4, floor: 2 },
  wantsReceipts: true,
  metadata: new Map([["lang", "en"]]),
  payload: Uint8Array.of(1, 2, 3),
};

Deno.test("a message is decoded as it was encoded, and is CBOR that others read", () => {
  const bytes = encodeMessage(message);
  assertEquals(decodeMessage(bytes), message);
  const fields = decode(bytes) as unknown[];
  assertEquals(fields.slice(0, 2), [1, 1]);
  assertEquals(fields.slice(5, 11), [
    ...["chat.say", 2, 1_000, 31_000],
    ...[[4, 2], null],
  ]);
  const { order: _, ...rest } = message;
  const reply: Message = {
    ...rest,
    kind: "reply",
    replyTo: message.id,
    metadata: new Map(),
  };
  assertEquals(decodeMessage(encodeMessage(reply)), reply);
});

Deno.test("encodedLength() is what encodeMessage() makes, whatever the fields", () => {
  const { order: _, ...plain } = message;
  const fields: Partial<Message>[] = [
    {},
    { order: { sequence: 70_000, floor: 24 } },
    { kind: "reply", replyTo: message.id },
    { type: "grüße", metadata: new Map() },
    { type: "t".repeat(128), createdMs: 2 ** 40, deadlineMs: 2 ** 32 - 1 },
    { metadata: new Map([["ключ", "\u{1f600}".repeat(100)], ["b", ""]]) },
    ...[0, 23, 24, 255, 256, 65_535, 65_536].map((length) => ({
      payload: new Uint8Array(length),
    })),
  ];
  for (const each of fields) {
    const some = { ...plain, ...each };
    const bytes = encodeMessage(some);
    assertEquals(encodedLength(some), bytes.length);
    assertEquals(decodeMessage(bytes), some);
  }
});

Deno.test("decodeMessage() refuses what is not a message, cut short or out of bounds", () => {
  const bytes = encodeMessage(message);
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => decodeMessage(bytes.subarray(0, length)), DecodeError);
  }
  const fields = decode(bytes) as unknown[];
  const changes: [at: number, to: unknown][] = [
    [0, 2],
    [1, 7],
    [1, 2],
    [2, new Uint8Array(15)],
    [3, new Uint8Array(31)],
    [5, ""],
    [5, "t".repeat(129)],
    [6, 4],
    [7, -1],
    [8, 1.5],
    [9, "first"],
    [9, [1]],
    [9, [1, 2]],
    [10, new Uint8Array(16)],
    [11, -1],
    [12, new Map([["k".repeat(65), "v"]])],
    [12, []],
    [13, "text"],
  ];
  for (const [at, to] of changes) {
    const changed = encode(fields.with(at, to));
    assertThrows(() => decodeMessage(changed), DecodeError);
  }
});

Deno.test("encodeMessage() refuses fields out of range", () => {
  const refuses = (fields: Partial<Message>) =>
    assertThrows(() => encodeMessage({ ...message, ...fields }), RangeError);
  refuses({ type: "" });
  refuses({ id: new Uint8Array(15) });
  refuses({ kind: "reply" });
  refuses({ order: { sequence: 1, floor: 2 } });
  refuses({ replyTo: message.id });
  refuses({ type: "\ud83d" });
  refuses({ metadata: new Map([["\ude00", "v"]]) });
  refuses({ metadata: new Map([["k", "v".repeat(1_025)]]) });
});

Deno.test("a sealed message opens for its recipient alone, and a bundle shows that it is encrypted", () => {
  const sealed = sealMessage(crypto, ana, bob.sealKeyPair.publicKey, message);
  assert(sealed.length <= encodeMessage(message).length + SEALED_OVERHEAD);
  assertEquals(openMessage(crypto, bob, sealed), message);
  assertEquals(codeOf(() => openMessage(crypto, eve, sealed)), AUTH);
  const bundle = createBundle({
    source: Eid.parse("dtn://hill/ana"),
    destination: Eid.parse("dtn://dale/bob"),
    creation: { timeMs: 1, sequence: 0 },
    lifetimeMs: 1_000,
    payload: sealed,
  });
  assertEquals(encryptionOf(bundle), "cose");
});

Deno.test("a message that a recipient seals on to another is refused there", () => {
  const toEve = { ...message, to: eve.id };
  const forEve = sealMessage(crypto, ana, bob.sealKeyPair.publicKey, toEve);
  assertEquals(codeOf(() => openMessage(crypto, bob, forEve)), AUTH);
  assertThrows(
    () => sealMessage(crypto, eve, bob.sealKeyPair.publicKey, message),
    RangeError,
  );
});

Deno.test("a sealed message that was changed anywhere is refused", () => {
  const sealed = sealMessage(crypto, ana, bob.sealKeyPair.publicKey, message);
  for (let i = 0; i < sealed.length; i++) {
    const changed = sealed.map((byte, at) => at === i ? byte ^ 1 : byte);
    const error = assertThrows(() => openMessage(crypto, bob, changed));
    assert(error instanceof DecodeError || error instanceof FabricError);
  }
});

const AUTH = "unauthenticated";

function codeOf(fn: () => void): string {
  return assertThrows(fn, FabricError).code;
}
