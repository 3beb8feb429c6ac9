/**
 * Bundles over HTX: a convergence layer for a DTN node whose neighbours are reached by covert sessions.
 *
 * The layer opens no socket. It is given functions that dial and take sessions, which know keys, tickets and what carries them.
 *
 * @module
 */
export {
  HtxLayer,
  type HtxLayerOptions,
  type SessionListener,
} from "./htx_layer.ts";
