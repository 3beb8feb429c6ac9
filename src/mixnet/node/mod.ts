/**
 * A mixnode: its parts, and {@link MixServer}, which joins them with links and mailboxes.
 *
 * @module
 */
export type { Random } from "./draw.ts";
export type { LoopNode } from "./loop_route.ts";
export type { LinkQuality } from "./link_tally.ts";
export { exposeMixNode, latenessHook, type MixNodeParts } from "./metrics.ts";
export { MixEntropy, type MixEntropyOptions } from "./mix_entropy.ts";
export {
  type Deliverer,
  MixNode,
  type MixNodeOptions,
  type PacketEgress,
  type PooledPacket,
} from "./mix_node.ts";
export { MixServer, type MixServerOptions } from "./mix_server.ts";
export type {
  MixRefusal,
  MixStrategy,
  MixStrategyName,
} from "./mix_strategy.ts";
export { NODE_DROPS, type NodeCounts, type NodeDrop } from "./node_counts.ts";
export {
  type Loop,
  type NodeLoopCounts,
  NodeLoops,
  type NodeLoopsOptions,
} from "./node_loops.ts";
export { PoissonMix, type PoissonMixOptions } from "./poisson_mix.ts";
export { type PoolMixOptions, thresholdMix, timedMix } from "./pool_mix.ts";
export {
  ReplayFilter,
  type ReplayFilterOptions,
  type ReplayVerdict,
  type TaggedPacket,
} from "./replay_filter.ts";
export { exposeMixServer } from "./server_metrics.ts";
export {
  UNWRAP_DROPS,
  UnwrapBatch,
  type UnwrapOutcome,
} from "./unwrap_batch.ts";
export { LocalUnwrapPool, type UnwrapPool } from "./unwrap_pool.ts";
export type { ReceivedPacket } from "./unwrap_queue.ts";
export {
  type FromUnwrapWorker,
  serveUnwraps,
  type ToUnwrapWorker,
  type UnwrapWorkerScope,
} from "./unwrap_worker.ts";
export {
  WorkerUnwrapPool,
  type WorkerUnwrapPoolOptions,
} from "./worker_unwrap_pool.ts";
