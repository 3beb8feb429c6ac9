import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import {
  endpointOf,
  FabricError,
  parseAgentName,
  signAgentRecord,
  verifyAgentRecord,
} from "../../../src/fabric/mod.ts";
import { agentOf, crypto, recordOf } from "../_agents.ts";

const ana = agentOf("ana@hill");

Deno.test("an agent's record is read as it was signed", () => {
  const htx = Uint8Array.of(1, 2, 3);
  const nodes = [{ staticKey: new Uint8Array(32).fill(9), htx }];
  const bytes = recordOf(ana, { nodes, sequence: 8, issuedMs: 5 });
  assertEquals(verifyAgentRecord(crypto, bytes, 50), {
    id: ana.id,
    name: { agent: "ana", node: "hill" },
    sealKey: ana.sealKeyPair.publicKey,
    nodes,
    capabilities: ["chat.say"],
    sequence: 8,
    issuedMs: 5,
    expiresMs: 100_000,
  });
});

Deno.test("a record that was changed anywhere is refused", () => {
  const bytes = recordOf(ana);
  for (let i = 0; i < bytes.length; i++) {
    const changed = bytes.map((byte, at) => at === i ? byte ^ 1 : byte);
    const error = assertThrows(() => verifyAgentRecord(crypto, changed, 1));
    const isTyped = error instanceof DecodeError ||
      error instanceof FabricError && error.code === "unauthenticated";
    assertEquals(isTyped, true, `byte ${i}: ${error}`);
  }
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.subarray(0, length);
    assertThrows(() => verifyAgentRecord(crypto, cut, 1), DecodeError);
  }
});

Deno.test("a record counts from five minutes before it was issued until it expires", () => {
  const bytes = recordOf(ana, { issuedMs: 400_000, expiresMs: 500_000 });
  const verify = (nowMs: number) => verifyAgentRecord(crypto, bytes, nowMs);
  assertEquals(verify(100_000).sequence, 1);
  assertEquals(verify(499_999).sequence, 1);
  for (const nowMs of [99_999, 500_000]) {
    const { code } = assertThrows(() => verify(nowMs), FabricError);
    assertEquals(code, "expired");
  }
});

Deno.test("signAgentRecord() refuses fields out of range", () => {
  const nodes = Array(5).fill({ staticKey: new Uint8Array(32) });
  assertThrows(() => recordOf(ana, { nodes }), RangeError);
  assertThrows(() => recordOf(ana, { sequence: -1 }), RangeError);
  assertThrows(() => recordOf(ana, { capabilities: [""] }), RangeError);
  const short = [{ staticKey: new Uint8Array(31) }];
  assertThrows(() => recordOf(ana, { nodes: short }), RangeError);
  assertThrows(
    () =>
      signAgentRecord(ana, {
        nodes: [],
        capabilities: Array(65).fill("a"),
        ...{ sequence: 0, issuedMs: 0, expiresMs: 1 },
      }),
    RangeError,
  );
});

Deno.test("names are agent@node in small letters, and give the endpoint of bundles", () => {
  assertEquals(`${endpointOf(parseAgentName("ana@hill"))}`, "dtn://hill/ana");
  assertEquals(parseAgentName("a.b-c_9@n0"), { agent: "a.b-c_9", node: "n0" });
  for (
    const text of ["", "ana", "@", "ana@", "Ana@hill", "a@b@c", "-a@b", "a@b/c"]
  ) {
    assertThrows(() => parseAgentName(text), RangeError);
  }
  assertThrows(() => parseAgentName(`${"a".repeat(65)}@b`), RangeError);
});
