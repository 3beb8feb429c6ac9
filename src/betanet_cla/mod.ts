/**
 * Bundles over HTX and through the mixnet: convergence layers for a DTN node whose neighbours are reached by covert sessions, or so that
 * nobody on the way can tell that they are.
 *
 * The layers open no socket. That of HTX is given functions that dial and take sessions, which know keys, tickets and what carries them;
 * that of the mixnet is given a client.
 *
 * @module
 */
export {
  HtxLayer,
  type HtxLayerOptions,
  type SessionListener,
} from "./htx_layer.ts";
export type { MixCarrier } from "./mix_ask.ts";
export type { MixDecisionLimits } from "./mix_decisions.ts";
export type { MixLayerCounts } from "./mix_inlet.ts";
export { MixLayer, type MixLayerOptions } from "./mix_layer.ts";
export { formatMixNode, parseMixNode } from "./mix_node_address.ts";
