import { type Clock, delay } from "../../core/async/mod.ts";
import { type Bytes, equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider, Secret } from "../../core/crypto/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import type { SphinxGeometry } from "../sphinx/geometry.ts";
import { recoverMessage } from "../sphinx/payload.ts";
import { type Random, secureRandom } from "./draw.ts";
import { type LoopNode, makeLoop } from "./loop_route.ts";
import { MixEntropy, type MixEntropyOptions } from "./mix_entropy.ts";
import type { MixStrategy } from "./mix_strategy.ts";
import { type NodeCounts, type NodeDrop, noDrops } from "./node_counts.ts";
import { NodeLoops, type NodeLoopsOptions } from "./node_loops.ts";
import type { ReplayFilter, TaggedPacket } from "./replay_filter.ts";
import { shortEpoch, type UnwrapBatch } from "./unwrap_batch.ts";
import type { UnwrapPool } from "./unwrap_pool.ts";
import { type ReceivedPacket, UnwrapQueue } from "./unwrap_queue.ts";

/** A packet in the pool of a node. */
export interface PooledPacket {
  /** Id of its next node, 32 bytes. */
  readonly next: Bytes;
  /** Low 32 bits of the epoch whose keys it is for. */
  readonly epoch: number;
  /** What goes to the next node. */
  readonly packet: Bytes;
  /** When it arrived, in monotonic milliseconds. */
  readonly arrivedMs: number;
}

/** Takes what is for others than nodes: the mailboxes of a gateway. */
export interface Deliverer {
  /** Takes the payload of a packet that ended here; `false` if there is nobody of that name, or no room. */
  deliver(destination: Bytes, identifier: Bytes, payload: Bytes): boolean;
}

/** Where packets go. */
export interface PacketEgress {
  /** Queues a packet for the node of that id, 32 bytes; `false` if it is unknown or its queue full. */
  offer(nodeId: Bytes, epoch: number, packet: Bytes): boolean;
}

/** Parts and options of {@link MixNode}. */
export interface MixNodeOptions {
  /** Our id, 32 bytes. */
  readonly id: Uint8Array;
  /** Sizes of the packets. */
  readonly geometry: SphinxGeometry;
  /** Length of an epoch, in seconds. */
  readonly epochSeconds: number;
  /** Mean of the delays of our loops, in milliseconds. */
  readonly meanDelayMs: number;
  /** Longest delay of our loops, in milliseconds. */
  readonly maxDelayMs: number;
  /** Time. */
  readonly clock: Clock;
  /** Makes loops. */
  readonly crypto: CryptoProvider;
  /** Draws loops and when they leave; from {@link crypto} by default. */
  readonly random?: Random;
  /** Unwraps packets. */
  readonly pool: UnwrapPool;
  /** Most packets unwrapped together; 64 by default. */
  readonly maxBatch?: number;
  /** Knows packets again. */
  readonly replay: ReplayFilter;
  /** Delays packets. */
  readonly strategy: MixStrategy<PooledPacket>;
  /** Takes packets to their next nodes. */
  readonly egress: PacketEgress;
  /** Our Sphinx keys, which the node makes and erases as epochs pass. */
  readonly keys: {
    advance(epoch: number): void;
    keyFor(epoch: number): Secret | undefined;
  };
  /** The network, for loops. */
  readonly directory: {
    document(
      epoch: number,
    ): { readonly nodes: readonly LoopNode[] } | undefined;
  };
  /** Takes what is for clients; without it we are no gateway. */
  readonly deliverer?: Deliverer;
  /** Cover traffic. */
  readonly loops: Omit<NodeLoopsOptions, "random">;
  /** Policy of the anonymity meter. */
  readonly entropy: Omit<MixEntropyOptions, "onChange">;
  /** Where alarms go. */
  readonly log: Logger;
}

/** The wall clock may jump: keys are looked after as often as this at least. */
const MAX_KEY_CHECK_MS = 10_000;

/**
 * A node between its links: packets go in, are unwrapped, checked for replay, mixed, and handed to the links of their next nodes.
 *
 * It has one timer, and no sockets: whoever reads links calls {@link receive} and waits for it, which is the back-pressure.
 */
export class MixNode implements AsyncDisposable {
  readonly #options: MixNodeOptions;
  readonly #random: Random;
  readonly #queue: UnwrapQueue;
  readonly #loops: NodeLoops;
  readonly #entropy: MixEntropy;
  readonly #dropped = noDrops();
  readonly #counts = {
    received: 0,
    loopsSent: 0,
    offered: 0,
    forwarded: 0,
    delivered: 0,
    loopsReturned: 0,
  };
  #batches = 0;
  #batchPackets = 0;
  #replayAlarm = false;
  #loopsUnroutable = 0;
  #epochs: readonly number[] = [];
  #keysDueMs = 0;
  #epoch: number | undefined;
  #timerMs = Infinity;
  #cancelTimer: (() => void) | undefined;
  #isDraining = false;
  #isDrained = false;

  /** Starts its keys, loops and timer. */
  constructor(options: MixNodeOptions) {
    this.#options = options;
    const { clock, crypto, log, pool, geometry, maxBatch = 64 } = options;
    this.#random = options.random ?? secureRandom(crypto);
    this.#queue = new UnwrapQueue({
      pool,
      geometry,
      maxBatch,
      onBatch: (batch) => this.#onBatch(batch),
      onLost: (count, error) => {
        this.#drop("worker", count);
        log.error("mixnet.unwrap_failed", { packets: count, error });
      },
    });
    const now = clock.now();
    this.#loops = new NodeLoops(now, {
      ...options.loops,
      random: this.#random,
    });
    this.#entropy = new MixEntropy(now, {
      ...options.entropy,
      onChange: (isLow, bits) =>
        isLow
          ? log.warn("mixnet.entropy_low", { bits })
          : log.info("mixnet.entropy_restored", { bits }),
    });
    this.#wake();
  }

  /** What became of packets. */
  get counts(): NodeCounts {
    return {
      ...this.#counts,
      dropped: { ...this.#dropped },
      unwrapping: this.#queue.size,
      pooled: this.#options.strategy.size,
    };
  }

  /** The anonymity meter. */
  get entropy(): MixEntropy {
    return this.#entropy;
  }

  /** What loops say of the network. */
  get loops(): NodeLoops {
    return this.#loops;
  }

  /** Loops that were due while nobody was known to send them to. */
  get loopsUnroutable(): number {
    return this.#loopsUnroutable;
  }

  /** Batches unwrapped, and the packets in them. */
  get batches(): { readonly count: number; readonly packets: number } {
    return { count: this.#batches, packets: this.#batchPackets };
  }

  /** Whether packets are dropped because the replay filter is full or cannot write. */
  get replayAlarm(): boolean {
    return this.#replayAlarm;
  }

  /** Epochs whose packets we can unwrap now. */
  get epochs(): readonly number[] {
    return this.#epochs;
  }

  /**
   * Takes packets off a link; resolves when there is room for more, which the link's reader waits for.
   *
   * While the node shuts down, packets are dropped.
   */
  async receive(packets: readonly ReceivedPacket[]): Promise<void> {
    if (this.#isDraining) {
      this.#counts.received += packets.length;
      return this.#drop("drain", packets.length);
    }
    await this.#queue.add(
      packets,
      this.#options.clock.now(),
      () => this.#counts.received++,
    );
  }

  /** Our id, 32 bytes. */
  get id(): Uint8Array {
    return this.#options.id;
  }

  /** Queues a packet that begins here, an acknowledgement of our gateway, for another node; `false` if that cannot be. */
  offer(nodeId: Uint8Array, epoch: number, packet: Bytes): boolean {
    this.#counts.offered++;
    return this.#forward(nodeId.slice(), epoch, packet);
  }

  /**
   * Shuts down: takes no packet and makes no loop any more, lets the pool empty by its delays for `limitMs`, and drops the rest.
   * Batches that wait for other packets to fill a pool leave at once.
   */
  async drain(limitMs: number): Promise<void> {
    const { clock, strategy } = this.#options;
    const endMs = clock.now() + limitMs;
    this.#isDraining = true;
    while (this.#queue.size + strategy.size > 0 && clock.now() < endMs) {
      if (this.#queue.size === 0 && strategy.nextMs === Infinity) {
        this.#send(strategy.flush());
      }
      const dueMs = this.#queue.size > 0 ? clock.now() : strategy.nextMs;
      const waitMs = Math.max(1, Math.min(dueMs, endMs) - clock.now());
      if (this.#queue.size + strategy.size > 0) await delay(clock, waitMs);
      this.#wake();
    }
    this.#isDrained = true;
    this.#stop();
    const left = strategy.flush();
    for (const { arrivedMs } of left) this.#depart(arrivedMs);
    this.#drop("drain", left.length);
  }

  /** Drains without waiting. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  #onBatch(batch: UnwrapBatch) {
    this.#batches++;
    this.#batchPackets += batch.count;
    const passed: number[] = [];
    for (let i = 0; i < batch.count; i++) {
      const outcome = batch.outcome(i);
      if (outcome === "forward" || outcome === "final") passed.push(i);
      else this.#drop(outcome);
    }
    for (const i of this.#fresh(batch, passed)) {
      if (batch.outcome(i) === "final") this.#finish(batch, i);
      else this.#pool(batch, i);
    }
    this.#wake();
  }

  /** Which of `passed` are no replays; when it returns, they are written down. */
  #fresh(batch: UnwrapBatch, passed: readonly number[]): number[] {
    const { replay, log } = this.#options;
    const packets = passed.map((i): TaggedPacket => ({
      epoch: batch.epoch(i),
      tag: batch.tag(i),
    }));
    try {
      const verdicts = replay.remember(packets);
      for (const verdict of verdicts) {
        if (verdict === "replayed") this.#drop("replayed");
        else if (verdict === "full") this.#drop("replay_full");
      }
      if (verdicts.length > 0) {
        this.#alarm(replay.fill >= replay.capacity && "full");
      }
      return passed.filter((_, at) => verdicts[at] === "new");
    } catch (error) {
      this.#drop("replay_store", passed.length);
      this.#alarm("store");
      log.error("mixnet.replay_store_failed", { error });
      return [];
    }
  }

  #alarm(cause: "full" | "store" | false) {
    const { log, replay } = this.#options;
    if (!this.#replayAlarm && cause) {
      log.error("mixnet.replay_alarm", { cause, tags: replay.fill });
    }
    this.#replayAlarm = cause !== false;
  }

  #pool(batch: UnwrapBatch, i: number) {
    if (this.#isDrained) return this.#drop("drain");
    const arrivedMs = batch.arrivedMs(i);
    const packet: PooledPacket = {
      next: batch.address(i).slice(),
      epoch: batch.epoch(i),
      packet: batch.body(i).slice(),
      arrivedMs,
    };
    const delayMs = batch.delayNs(i) / 1e6;
    const refusal = this.#options.strategy.offer(packet, delayMs, arrivedMs);
    if (refusal) this.#drop(refusal);
    else this.#entropy.arrive(this.#options.clock.now());
  }

  #finish(batch: UnwrapBatch, i: number) {
    const { id, deliverer, clock, log } = this.#options;
    const [destination, identifier] = [batch.address(i), batch.identifier(i)];
    const payload = batch.body(i).slice();
    if (equal(destination, id)) {
      const isOurs = this.#loops.came(
        identifier,
        isIntact(payload),
        clock.now(),
      );
      if (isOurs) this.#counts.loopsReturned++;
      else this.#drop("unknown_loop");
      return;
    }
    if (!deliverer) return this.#drop("no_gateway");
    try {
      if (deliverer.deliver(destination.slice(), identifier.slice(), payload)) {
        this.#counts.delivered++;
      } else this.#drop("undeliverable");
    } catch (error) {
      this.#drop("undeliverable");
      log.error("mixnet.delivery_failed", { error });
    }
  }

  /** Does what is due, and sets the timer for what is due next. */
  #wake() {
    if (this.#isDrained) return;
    const { clock, strategy } = this.#options;
    const now = clock.now();
    if (now >= this.#keysDueMs) this.#renewKeys(now);
    if (strategy.nextMs <= now) this.#send(strategy.take(now));
    if (!this.#isDraining) {
      for (let due = this.#loops.take(now); due > 0; due--) this.#sendLoop();
    }
    const loopsMs = this.#isDraining ? Infinity : this.#loops.nextMs;
    const nextMs = Math.min(strategy.nextMs, loopsMs, this.#keysDueMs);
    if (nextMs === this.#timerMs) return;
    this.#stop();
    this.#timerMs = nextMs;
    this.#cancelTimer = clock.setTimeout(() => {
      this.#timerMs = Infinity;
      this.#wake();
    }, nextMs - now);
  }

  #stop() {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#timerMs = Infinity;
  }

  #send(packets: readonly PooledPacket[]) {
    for (const { next, epoch, packet, arrivedMs } of packets) {
      this.#depart(arrivedMs);
      this.#forward(next, epoch, packet);
    }
  }

  #depart(arrivedMs: number) {
    const now = this.#options.clock.now();
    this.#entropy.depart(now, now - arrivedMs);
  }

  #forward(next: Bytes, epoch: number, packet: Bytes): boolean {
    const isTaken = this.#options.egress.offer(next, epoch, packet);
    if (isTaken) this.#counts.forwarded++;
    else this.#drop("egress");
    return isTaken;
  }

  #sendLoop() {
    const epoch = this.#epochNow();
    const { directory, clock } = this.#options;
    const nodes = directory.document(epoch)?.nodes ?? [];
    const loop = makeLoop({
      ...this.#options,
      epoch,
      nodes,
      random: this.#random,
    });
    if (!loop) {
      this.#loopsUnroutable++;
      return;
    }
    this.#counts.loopsSent++;
    if (this.#forward(loop.firstHop, shortEpoch(epoch), loop.packet)) {
      this.#loops.left(loop, clock.now());
    }
  }

  /** Gives the pool the keys of the epoch before, this and the next, and forgets replays of epochs whose key is gone. */
  #renewKeys(now: number) {
    const { keys, pool, replay, clock, epochSeconds, log } = this.#options;
    const epoch = this.#epochNow();
    if (epoch !== this.#epoch) this.#noteWorstLink();
    this.#epoch = epoch;
    keys.advance(epoch);
    const open = new Map<number, Uint8Array>();
    for (const each of [epoch - 1, epoch, epoch + 1]) {
      const key = keys.keyFor(each);
      if (key) open.set(each, key.expose());
    }
    pool.setKeys(open);
    this.#epochs = [...open.keys()];
    const short = new Set(this.#epochs.map(shortEpoch));
    try {
      replay.retain((each) =>
        short.has(each) || keys.keyFor(each) !== undefined
      );
      this.#alarm(replay.fill >= replay.capacity && "full");
    } catch (error) {
      log.error("mixnet.replay_store_failed", { error });
    }
    const epochMs = epochSeconds * 1000;
    const leftMs = epochMs - clock.wallTime() % epochMs;
    this.#keysDueMs = now + Math.min(leftMs, MAX_KEY_CHECK_MS);
  }

  /** Names the link that loses the largest share of loops: metrics name none. */
  #noteWorstLink() {
    const [worst] = this.#loops.links
      .map((link) => ({
        ...link,
        loss: link.lost / (link.lost + link.returned),
      }))
      .filter(({ lost }) => lost > 0)
      .sort((a, b) => b.loss - a.loss || b.lost - a.lost);
    if (worst) this.#options.log.info("mixnet.worst_link", worst);
  }

  #drop(reason: NodeDrop, count = 1) {
    this.#dropped[reason] += count;
  }

  #epochNow(): number {
    const { clock, epochSeconds } = this.#options;
    return Math.floor(clock.wallTime() / 1000 / epochSeconds);
  }
}

function isIntact(payload: Bytes): boolean {
  try {
    recoverMessage(payload);
    return true;
  } catch {
    return false;
  }
}
