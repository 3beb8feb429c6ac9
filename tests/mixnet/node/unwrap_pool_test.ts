import { assert, assertEquals, assertRejects } from "@std/assert";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import { UnwrapBatch } from "../../../src/mixnet/node/unwrap_batch.ts";
import {
  LocalUnwrapPool,
  type UnwrapPool,
} from "../../../src/mixnet/node/unwrap_pool.ts";
import { UnwrapQueue } from "../../../src/mixnet/node/unwrap_queue.ts";
import { WorkerUnwrapPool } from "../../../src/mixnet/node/worker_unwrap_pool.ts";
import { sphinxGeometry } from "../../../src/mixnet/sphinx/geometry.ts";
import {
  createPacket,
  unwrapPacket,
} from "../../../src/mixnet/sphinx/packet.ts";

const crypto = nodeProvider;
const geometry = sphinxGeometry(300);
const KEYS = new Map([7, 8].map((epoch) => [epoch, crypto.random(32)]));

function packet(epoch: number, hops: number) {
  const publicKey = crypto.x25519.publicKey(KEYS.get(epoch)!);
  const route = Array.from({ length: hops }, (_, i) => ({
    address: new Uint8Array(32).fill(i),
    publicKey,
    delayNs: 5_000_000,
  }));
  const destination = new Uint8Array(32).fill(9);
  const identifier = new Uint8Array(16).fill(3);
  return createPacket(
    crypto,
    geometry,
    { route, destination, identifier },
    new Uint8Array(4).fill(1),
  );
}

function workers(count: number, more = {}): Promise<WorkerUnwrapPool> {
  const url = import.meta.resolve("./_unwrap_worker.ts");
  return WorkerUnwrapPool.start({
    spawn: () => new Worker(url, { type: "module" }),
    workers: count,
    geometry,
    ...more,
  });
}

const POOLS: [string, () => Promise<UnwrapPool>][] = [
  ["LocalUnwrapPool", () => Promise.resolve(new LocalUnwrapPool(crypto))],
  ["WorkerUnwrapPool", () => workers(2)],
];

for (const [name, start] of POOLS) {
  Deno.test(`${name} gives what unwrapPacket() gives, for each packet of a batch`, async () => {
    using pool = await start();
    pool.setKeys(KEYS);
    assertEquals(pool.provider, "node");
    const batch = UnwrapBatch.withRoom(geometry, 5);
    const [next, last] = [packet(7, 2), packet(8, 1)];
    const damaged = next.slice();
    damaged[100]! ^= 1;
    assert(batch.add(7, next, 11) && batch.add(8, last, 12));
    assert(batch.add(9, next, 13) && batch.add(7, damaged, 14));
    assert(batch.add(7, next.subarray(1), 15));
    assert(!batch.add(7, next, 16), "no room");
    const out = await pool.unwrap(batch);
    assertEquals(
      [0, 1, 2, 3, 4].map((i) => out.outcome(i)),
      ["forward", "final", "epoch", "mac", "length"],
    );
    assertEquals([0, 1].map((i) => out.arrivedMs(i)), [11, 12]);
    assertEquals([0, 1].map((i) => out.epoch(i)), [7, 8]);
    const expected = unwrapPacket(crypto, geometry, KEYS.get(7)!, next);
    assert(expected.kind === "forward");
    assertEquals(out.tag(0), expected.replayTag);
    assertEquals(out.address(0), expected.nextAddress);
    assertEquals(out.delayNs(0), expected.delayNs);
    assertEquals(out.body(0), expected.packet);
    const final = unwrapPacket(crypto, geometry, KEYS.get(8)!, last);
    assert(final.kind === "final");
    assertEquals(out.tag(1), final.replayTag);
    assertEquals(out.address(1), final.destination);
    assertEquals(out.identifier(1), final.identifier);
    assertEquals(out.body(1), final.payload);
  });

  Deno.test(`${name} has only the keys it was given last`, async () => {
    using pool = await start();
    const outcomes = async (keys: Map<number, Uint8Array>) => {
      pool.setKeys(keys);
      const batch = UnwrapBatch.withRoom(geometry, 1);
      batch.add(7, packet(7, 2), 0);
      return (await pool.unwrap(batch)).outcome(0);
    };
    assertEquals(await outcomes(KEYS), "forward");
    assertEquals(await outcomes(new Map([[8, KEYS.get(8)!]])), "epoch");
    assertEquals(
      await outcomes(new Map([[7 + 2 ** 32, KEYS.get(7)!]])),
      "forward",
    );
  });
}

Deno.test("WorkerUnwrapPool works on many batches at once, and gives back each", async () => {
  using pool = await workers(2);
  assertEquals(pool.capacity, 4);
  pool.setKeys(KEYS);
  const packets = Array.from({ length: 12 }, () => packet(7, 2));
  const batches = packets.map((each, i) => {
    const batch = UnwrapBatch.withRoom(geometry, 1);
    batch.add(7, each, i);
    return pool.unwrap(batch);
  });
  const out = await Promise.all(batches);
  out.forEach((batch, i) => {
    const expected = unwrapPacket(crypto, geometry, KEYS.get(7)!, packets[i]!);
    assertEquals(batch.arrivedMs(0), i);
    assertEquals(batch.tag(0), expected.replayTag);
  });
});

Deno.test("WorkerUnwrapPool loses the batches of a worker that fails, and replaces it a few times", async () => {
  let spawned = 0;
  const failing = import.meta.resolve("./_failing_worker.ts");
  const working = import.meta.resolve("./_unwrap_worker.ts");
  using pool = await workers(1, {
    spawn: () =>
      new Worker(spawned++ === 0 ? failing : working, { type: "module" }),
  });
  pool.setKeys(KEYS);
  const unwrap = () => {
    const batch = UnwrapBatch.withRoom(geometry, 1);
    batch.add(7, packet(7, 2), 0);
    return pool.unwrap(batch);
  };
  await assertRejects(unwrap, Error, "An unwrap worker failed");
  assertEquals([spawned, pool.restarts], [2, 1]);
  const outcome = (await unwrap()).outcome(0);
  assertEquals(outcome, "forward");
});

Deno.test("WorkerUnwrapPool does not start if its workers do not", async () => {
  const url = import.meta.resolve("./_no_such_worker.ts");
  await assertRejects(
    () =>
      workers(1, {
        spawn: () => new Worker(url, { type: "module" }),
        maxRestarts: 0,
      }),
    Error,
    "An unwrap worker failed",
  );
});

/** A pool that gives batches back when it is told to. */
class HeldPool implements UnwrapPool {
  readonly provider = "held";
  readonly held: (() => void)[] = [];
  readonly sizes: number[] = [];
  constructor(readonly capacity: number) {}
  setKeys() {}
  unwrap(batch: UnwrapBatch): Promise<UnwrapBatch> {
    this.sizes.push(batch.count);
    return new Promise((resolve) => this.held.push(() => resolve(batch)));
  }
  [Symbol.dispose]() {}
}

function queueOver(pool: UnwrapPool, maxBatch: number) {
  const out: number[] = [];
  const lost: number[] = [];
  const queue = new UnwrapQueue({
    pool,
    geometry,
    maxBatch,
    onBatch: (batch) => {
      for (let i = 0; i < batch.count; i++) out.push(batch.arrivedMs(i));
    },
    onLost: (count) => lost.push(count),
  });
  const one = new Uint8Array(geometry.packetLength);
  const add = (count: number, arrivedMs: number) => {
    const packets = Array.from(
      { length: count },
      () => ({ epoch: 7, packet: one }),
    );
    return queue.add(packets, arrivedMs, () => {});
  };
  return { queue, out, lost, add };
}

Deno.test("UnwrapQueue gives packets at once to a pool that is idle, and larger batches to one that is busy", async () => {
  const pool = new HeldPool(1);
  const { queue, out, add } = queueOver(pool, 8);
  await add(2, 1);
  assertEquals(pool.sizes, [2]);
  for (let i = 2; i < 7; i++) await add(1, i);
  assertEquals([pool.sizes, queue.size], [[2], 7]);
  pool.held.shift()!();
  await settled();
  assertEquals([pool.sizes, out], [[2, 5], [1, 1]]);
  pool.held.shift()!();
  await settled();
  assertEquals([queue.size, out.length], [0, 7]);
});

Deno.test("UnwrapQueue makes who adds wait when the pool and the next batch are full, and drops nothing", async () => {
  const pool = new HeldPool(2);
  const { queue, out, add } = queueOver(pool, 4);
  let isTaken = false;
  const adding = add(50, 1).then(() => isTaken = true);
  await settled();
  assertEquals([pool.sizes, queue.size, isTaken], [[4, 4], 12, false]);
  while (pool.held.length > 0) {
    pool.held.shift()!();
    await settled();
    assert(queue.size <= 12);
  }
  await adding;
  assertEquals([out.length, queue.size], [50, 0]);
});

Deno.test("UnwrapQueue goes on after a batch was lost, and says how many packets that were", async () => {
  let isFailing = true;
  const pool: UnwrapPool = {
    capacity: 1,
    provider: "flaky",
    setKeys() {},
    unwrap: (batch) =>
      isFailing ? Promise.reject(new Error("gone")) : Promise.resolve(batch),
    [Symbol.dispose]() {},
  };
  const { queue, out, lost, add } = queueOver(pool, 4);
  await add(3, 1);
  await settled();
  assertEquals([lost, queue.size], [[3], 0]);
  isFailing = false;
  await add(2, 2);
  await settled();
  assertEquals(out, [2, 2]);
});

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
