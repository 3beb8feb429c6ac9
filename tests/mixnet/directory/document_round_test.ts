import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { decodeCbor, encodeHex } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { directory } from "../../../src/mixnet/mod.ts";
import {
  addressOf,
  Directories,
  STEP_MS,
  steps,
  submitAll,
  trustOf,
} from "./_authorities.ts";
import { DESCRIPTORS, EPOCH, EPOCH_MS, signed, START_MS } from "./_network.ts";

const NEXT = EPOCH + 1;
const { rollMs, closeMs, voteMs, signMs } = directory.epochSchedule(NEXT, {
  epochSeconds: 3_600,
});

/** Three authorities that can be started again, over a network of their own and clocks that may differ. */
function world(skewMs: readonly number[] = [0, 0, 0]) {
  const clocks = skewMs.map((ms) => new VirtualClock(START_MS + ms));
  const directories = new Directories();
  const stores = skewMs.map(() => memoryStore());
  const trust = trustOf(skewMs.length, Math.floor(skewMs.length / 2) + 1);
  const start = (i: number, store = stores[i]!) =>
    directories.authority(i, trust, clocks[i]!, {}, store);
  const all = skewMs.map((_, i) => start(i));
  submitAll(all);
  const until = (ms: number) =>
    steps(clocks, all, ms - START_MS - clocks[0]!.now());
  return { clocks, directories, stores, start, all, until };
}

Deno.test("an authority that restarts when the list is closed keeps it, whatever nodes say meanwhile", async () => {
  const { all, start, until } = world();
  await until(closeMs + 2 * STEP_MS);
  // Newer descriptors come in, and every authority loses its memory.
  for (let i = 0; i < 3; i++) all[i] = start(i);
  submitAll(all, [signed(2, { sequence: 2 }), signed(60)]);
  for (let i = 0; i < 3; i++) all[i] = start(i);
  await until(NEXT * EPOCH_MS);
  for (const authority of all) {
    const { nodes } = authority.document(NEXT)!;
    assertEquals(nodes.length, 11);
    assert(nodes.every(({ sequence }) => sequence === 1));
  }
});

Deno.test("an authority that was away when the list closed has none, does not vote, and signs what the others agree on", async () => {
  const { all, directories, start, until } = world();
  const [first, second] = all;
  directories.handlers.delete(addressOf(2));
  all.pop();
  await until(closeMs + STEP_MS);
  all.push(start(2));
  await until(NEXT * EPOCH_MS - STEP_MS);
  const votes = decodeCbor(all[2]!.known("vote", NEXT)!) as Uint8Array[];
  assertEquals(votes.length, 2);
  assertEquals(first!.document(NEXT)!.hash, second!.document(NEXT)!.hash);
  assertEquals(all[2]!.document(NEXT)!.hash, first!.document(NEXT)!.hash);
});

Deno.test("an authority that lost its store takes up what it signed from the others, and signs nothing else", async () => {
  for (const whenMs of [rollMs, voteMs, signMs]) {
    const { all, start, until } = world();
    await until(whenMs + 3 * STEP_MS);
    all[0] = start(0, memoryStore());
    submitAll(all.slice(0, 1), [signed(70)]);
    await until(NEXT * EPOCH_MS);
    for (const authority of all) {
      assertEquals(authority.evidence.all, []);
      assertEquals(authority.document(NEXT)!.nodes.length, 11);
    }
  }
});

Deno.test("authorities whose clocks differ by an eighth of an epoch in all agree, and one that is far off hinders no others", async () => {
  const sixteenthMs = EPOCH_MS / 16;
  for (
    const skewMs of [
      [0, sixteenthMs, -sixteenthMs + 4 * STEP_MS],
      [0, 0, EPOCH_MS / 3],
      [0, 0, -EPOCH_MS / 3],
    ]
  ) {
    const { all, until } = world(skewMs);
    await until(NEXT * EPOCH_MS + 2 * STEP_MS);
    const [first, second] = all;
    assertEquals(first!.document(NEXT)!.nodes.length, 11);
    assertEquals(second!.document(NEXT)!.hash, first!.document(NEXT)!.hash);
  }
});

Deno.test("a node's descriptor that expires before the epoch, or has no key for it, is in no list", async () => {
  const { all, until } = world();
  submitAll(all, [
    signed(60, { expiresMs: NEXT * EPOCH_MS }),
    signed(61, { sphinxKeys: new Map([[EPOCH, new Uint8Array(32).fill(9)]]) }),
  ]);
  assertEquals(all[0]!.nodes, 13);
  await until(closeMs);
  const roll = encodeHex(all[0]!.known("roll", NEXT)!);
  const held = (bytes: Uint8Array) =>
    roll.includes(encodeHex(crypto.hash("sha256", bytes)));
  assert(DESCRIPTORS.every(held));
  await until(NEXT * EPOCH_MS);
  assertEquals(all[0]!.document(NEXT)!.nodes.length, 11);
});
