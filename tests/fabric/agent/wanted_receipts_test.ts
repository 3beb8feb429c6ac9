import { assertEquals } from "@std/assert";
import { WantedReceipts } from "../../../src/fabric/agent/wanted_receipts.ts";
import type { Receipt, ReceiptState } from "../../../src/fabric/mod.ts";
import { ana, bob, eve } from "../_messages.ts";

const receiptOf = (
  n: number,
  state: ReceiptState = "delivered",
  by = bob.id,
): Receipt => ({
  ...{ id: new Uint8Array(16).fill(n), from: ana.id, by, state },
  ...{ reason: "", atMs: 1 },
});
const nowhere = () => undefined;

Deno.test("receipts are wanted of who was sent the message, now or before this life", () => {
  const wanted = new WantedReceipts();
  wanted.expect(receiptOf(1).id, bob.id);
  const all = [receiptOf(1), receiptOf(1, "handled", eve.id), receiptOf(2)];
  assertEquals(wanted.choose(all, 100, nowhere), [all[0]!]);
  assertEquals([wanted.foreign, wanted.surplus], [2, 0]);
  const sentTo = (id: Uint8Array) => id[0] === 2 ? bob.id : undefined;
  assertEquals(wanted.choose([receiptOf(2)], 100, sentTo).length, 1);
});

Deno.test("who signs the same again and again is not kept again and again, and what became of the message still counts", () => {
  const wanted = new WantedReceipts();
  wanted.expect(receiptOf(1).id, bob.id);
  const times = (state: ReceiptState) => {
    let count = 0;
    for (let i = 0; i < 100; i++) {
      count += wanted.choose([receiptOf(1, state)], 100, nowhere).length;
    }
    return count;
  };
  assertEquals([times("delivered"), times("refused"), times("handled")], [
    ...[4, 4, 0],
  ]);
  assertEquals([wanted.foreign, wanted.surplus], [0, 292]);
});

Deno.test("a receipt among a thousand foreign ones is not worth their bytes", () => {
  const wanted = new WantedReceipts();
  for (let n = 0; n < 64; n++) wanted.expect(receiptOf(n).id, bob.id);
  const foreign = (count: number) =>
    Array.from({ length: count }, () => receiptOf(200));
  const few = [receiptOf(1), ...foreign(1_000)];
  assertEquals(wanted.choose(few, 45_000, nowhere), []);
  assertEquals([wanted.foreign, wanted.surplus], [1_000, 1]);
  const many = Array.from({ length: 64 }, (_, n) => receiptOf(n));
  const mixed = [...many, ...foreign(900)];
  assertEquals(wanted.choose(mixed, 43_000, nowhere), many);
});
