/**
 * A node that stores bundles and forwards them.
 *
 * @module
 */
export { DtnNode } from "./dtn_node.ts";
export type { DtnNodeOptions, SendBundleOptions } from "./dtn_node_options.ts";
export { DtnNodeError, type DtnNodeErrorCode } from "./error.ts";
export type { SendingCost } from "./neighbour.ts";
export { NODE_DROPS, type NodeCounts, type NodeDrop } from "./node_counts.ts";
export type { Delivery, DeliverySource, Registration } from "./registration.ts";
