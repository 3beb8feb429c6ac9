import { assertEquals, assertRejects } from "@std/assert";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { UnwrapBatch } from "../../../src/mixnet/node/unwrap_batch.ts";
import { LocalUnwrapPool } from "../../../src/mixnet/node/unwrap_pool.ts";
import { WorkerUnwrapPool } from "../../../src/mixnet/node/worker_unwrap_pool.ts";
import { COMPACT } from "../../../src/mixnet/sphinx/geometry.ts";
import { createPacket } from "../../../src/mixnet/sphinx/packet.ts";
import { drawRoute } from "../sphinx/_draw.ts";

const EPOCH = 7;
const geometry = COMPACT;

Deno.test("WorkerUnwrapPool unwraps on threads to what is unwrapped here", async () => {
  const { packets, key } = packetsForOne(40);
  using here = new LocalUnwrapPool(crypto);
  using pool = await start("_unwrap_worker.ts", 2);
  for (const each of [here, pool]) each.setKeys(new Map([[EPOCH, key]]));
  assertEquals(pool.provider, "node");
  assertEquals(pool.capacity, 4);
  const [ours, ...theirs] = await Promise.all([
    here.unwrap(batchOf(packets)),
    pool.unwrap(batchOf(packets)),
    pool.unwrap(batchOf(packets)),
    pool.unwrap(batchOf(packets)),
  ]);
  for (const batch of theirs) assertEquals(read(batch), read(ours!));
  const outcomes = read(ours!).map(({ outcome }) => outcome);
  assertEquals(new Set(outcomes), new Set(["forward", "mac", "epoch"]));
});

Deno.test("WorkerUnwrapPool replaces the keys of its workers, in order with batches", async () => {
  const { packets, key } = packetsForOne(2);
  using pool = await start("_unwrap_worker.ts", 1);
  pool.setKeys(new Map([[EPOCH, key]]));
  const before = pool.unwrap(batchOf(packets.slice(0, 1)));
  pool.setKeys(new Map([[EPOCH + 1, key]]));
  const after = pool.unwrap(batchOf(packets.slice(0, 1)));
  assertEquals((await before).outcome(0), "forward");
  assertEquals((await after).outcome(0), "epoch");
});

Deno.test("WorkerUnwrapPool loses the batches of a worker that fails, and hires another so often", async () => {
  const { packets } = packetsForOne(1);
  using pool = await start("_failing_worker.ts", 1, 2);
  for (let i = 0; i < 3; i++) {
    await assertRejects(() => pool.unwrap(batchOf(packets)), Error, "failed");
  }
  assertEquals(pool.restarts, 2);
  await assertRejects(
    () => pool.unwrap(batchOf(packets)),
    Error,
    "No unwrap worker is left",
  );
});

Deno.test("WorkerUnwrapPool fails what waits when it is closed", async () => {
  const { packets } = packetsForOne(1);
  const pool = await start("_unwrap_worker.ts", 1);
  const waiting = pool.unwrap(batchOf(packets));
  pool[Symbol.dispose]();
  await assertRejects(() => waiting, Error, "closed");
});

Deno.test("WorkerUnwrapPool wants a worker", async () => {
  await assertRejects(() => start("_unwrap_worker.ts", 0), RangeError);
});

function start(file: string, workers: number, maxRestarts = 8) {
  const url = new URL(file, import.meta.url).href;
  const spawn = () => new Worker(url, { type: "module" });
  return WorkerUnwrapPool.start({ spawn, workers, geometry, maxRestarts });
}

/** Packets for one key, of which every third is damaged. */
function packetsForOne(count: number) {
  const drawn = drawRoute(2);
  const packets = Array.from({ length: count }, (_, i) => {
    const packet = createPacket(crypto, geometry, drawn, Uint8Array.of(i));
    return i % 3 === 2 ? packet.with(40, packet[40]! ^ 1) : packet;
  });
  return { packets, key: drawn.privateKeys[0]! };
}

/** All of `packets`; every fifth is said to be of an epoch without a key. */
function batchOf(packets: readonly Uint8Array[]): UnwrapBatch {
  const batch = UnwrapBatch.withRoom(geometry, packets.length);
  for (const [i, packet] of packets.entries()) {
    batch.add(i % 5 === 4 ? EPOCH + 9 : EPOCH, packet, i);
  }
  return batch;
}

function read(batch: UnwrapBatch) {
  return Array.from({ length: batch.count }, (_, i) => {
    const outcome = batch.outcome(i);
    return outcome === "forward"
      ? {
        outcome,
        tag: batch.tag(i).toHex(),
        next: batch.address(i).toHex(),
        delayNs: batch.delayNs(i),
        body: batch.body(i).toHex(),
      }
      : { outcome };
  });
}
