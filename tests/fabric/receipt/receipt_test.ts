import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import {
  FabricError,
  MAX_RECEIPTS,
  RECEIPT_STATES,
  ReceiptLog,
  signReceipts,
  verifyReceipts,
} from "../../../src/fabric/mod.ts";
import { agentOf, crypto, recordOf } from "../_agents.ts";

const ana = agentOf("ana@hill");
const bob = agentOf("bob@dale");

const receipts = RECEIPT_STATES.map((state, i) => ({
  id: new Uint8Array(16).fill(i),
  state,
  reason: state === "refused" ? "no_handler" : "",
  atMs: 1_000 + i,
}));

Deno.test("receipts say who took what of whom, and anyone can verify them", () => {
  const bytes = signReceipts(bob, ana.id, receipts);
  assertEquals(
    verifyReceipts(crypto, bytes),
    receipts.map((each) => ({ ...each, from: ana.id, by: bob.id })),
  );
});

Deno.test("receipts that were changed, or signed for something else, are refused", () => {
  const bytes = signReceipts(bob, ana.id, receipts);
  for (let i = 0; i < bytes.length; i++) {
    const changed = bytes.map((byte, at) => at === i ? byte ^ 1 : byte);
    const error = assertThrows(() => verifyReceipts(crypto, changed));
    const isTyped = error instanceof DecodeError ||
      error instanceof FabricError;
    assertEquals(isTyped, true);
  }
  const { code } = assertThrows(
    () => verifyReceipts(crypto, recordOf(bob)),
    FabricError,
  );
  assertEquals(code, "unauthenticated");
});

Deno.test("signReceipts() takes 1 to 1,024 of them", () => {
  const many = (n: number) => Array(n).fill(receipts[0]!);
  assertThrows(() => signReceipts(bob, ana.id, []), RangeError);
  assertThrows(
    () => signReceipts(bob, ana.id, many(MAX_RECEIPTS + 1)),
    RangeError,
  );
  const bytes = signReceipts(bob, ana.id, many(MAX_RECEIPTS));
  assertEquals(verifyReceipts(crypto, bytes).length, MAX_RECEIPTS);
});

Deno.test("a log shows what was signed about a message, also after it was opened again", async () => {
  const store = memoryStore();
  const open = () => new ReceiptLog({ crypto, store, keepMs: 1_000 });
  const log = open();
  const id = receipts[1]!.id;
  const later = { ...receipts[1]!, state: "handled" as const, atMs: 2_000 };
  const first = signReceipts(bob, ana.id, receipts);
  const second = signReceipts(bob, ana.id, [later]);
  await log.add(second, verifyReceipts(crypto, second), 10);
  await log.add(first, verifyReceipts(crypto, first), 20);
  await log.add(first, verifyReceipts(crypto, first), 20);
  assertEquals(open().of(id).map(({ atMs }) => atMs), [1_001, 2_000]);
  assertEquals([...log.signed(id)].length, 2);
  assertEquals([...log.entries()].length, 2);
  assertEquals(log.of(new Uint8Array(16).fill(99)), []);
  log.sweep(1_015);
  assertEquals([...log.entries()], [first]);
});
