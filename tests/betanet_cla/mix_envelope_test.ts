import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../src/core/bytes/mod.ts";
import {
  decodeMixAnswer,
  decodeMixEnvelope,
  encodeMixAnswer,
  encodeMixEnvelope,
} from "../../src/betanet_cla/mix_envelope.ts";
import { BundleError } from "../../src/dtn/bundle/error.ts";

const contactId = new Uint8Array(16).fill(0xc0);
const transferId = new Uint8Array(16).fill(0x7f);
const bundle = Uint8Array.of(0x9f, 0xff);

Deno.test("encodeMixEnvelope() lays it out as the table says, and decodeMixEnvelope() gives it back", () => {
  const said = encodeMixEnvelope({
    ...{ kind: "bundle", contactId, transferId, bundle },
    nodeId: "ipn:1.0",
  });
  assertEquals(
    said.toHex(),
    `0102${"c0".repeat(16)}0769706e3a312e30${"7f".repeat(16)}9fff`,
  );
  assertEquals(decodeMixEnvelope(said), {
    ...{ kind: "bundle", contactId, transferId, bundle },
    nodeId: "ipn:1.0",
  });
  for (const [kind, code] of [["hello", "01"], ["leave", "03"]] as const) {
    const bytes = encodeMixEnvelope({ kind, contactId });
    assertEquals(bytes.toHex(), `01${code}${"c0".repeat(16)}00`);
    assertEquals(decodeMixEnvelope(bytes), {
      ...{ kind, contactId },
      nodeId: undefined,
    });
  }
});

Deno.test("decodeMixEnvelope() takes no other version or kind, nothing that is cut off, and no false node id", () => {
  const good = encodeMixEnvelope({
    ...{ kind: "bundle", contactId, transferId, bundle: new Uint8Array() },
    nodeId: "dtn://n/",
  });
  for (let length = 0; length < good.length; length++) {
    assertThrows(() => decodeMixEnvelope(good.slice(0, length)), DecodeError);
  }
  const hello = encodeMixEnvelope({ kind: "hello", contactId });
  for (
    const bad of [
      Uint8Array.of(...hello, 0),
      hello.with(0, 2),
      hello.with(1, 0),
      hello.with(1, 4),
      good.with(19, 0xff),
      good.with(26, "x".charCodeAt(0)),
    ]
  ) assertThrows(() => decodeMixEnvelope(bad), DecodeError);
});

Deno.test("encodeMixEnvelope() wants the endpoint ID of a node, of at most 255 bytes", () => {
  const name = (nodeId: string) =>
    encodeMixEnvelope({ kind: "hello", contactId, nodeId });
  assertThrows(() => name("dtn://n/in"), BundleError);
  assertThrows(() => name("dtn:none"), BundleError);
  assertThrows(() => name(`dtn://${"n".repeat(249)}/`), RangeError);
  assertEquals(name(`dtn://${"n".repeat(248)}/`).length, 19 + 255);
});

Deno.test("an answer says that the bundle was taken, why not, or that the contact is over", () => {
  const said = (code: number) => decodeMixAnswer(encodeMixAnswer(code));
  assertEquals(said(0), { kind: "acknowledged" });
  assertEquals(said(2), { kind: "refused", reason: "noResources" });
  assertEquals(said(7), { kind: "over" });
  for (const bad of [[], [1], [1, 8], [2, 0], [1, 0, 0]]) {
    assertThrows(() => decodeMixAnswer(Uint8Array.from(bad)), DecodeError);
  }
});
