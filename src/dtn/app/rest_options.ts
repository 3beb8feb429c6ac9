import type { Clock } from "../../core/async/mod.ts";
import type { BundleOptions } from "../bundle/quirk.ts";
import type { DtnNode } from "../node/dtn_node.ts";
import type { BundleStore } from "../store/bundle_store.ts";

/** Parts and options of `restApp`. */
export interface RestAppOptions {
  /** The node. */
  readonly node: DtnNode;
  /** Its store, for what it shows. */
  readonly store: BundleStore;
  /** What requests must bring as `Authorization: Bearer …`; nothing by default. */
  readonly token?: string;
  /** Longest payload, bundle or message; 64 MiB by default. */
  readonly maxBytes?: number;
  /** What to overlook in bundles that are inserted, as the node does in those of neighbours; nothing by default. */
  readonly quirks?: BundleOptions["quirks"];
  /** Closes the WebSockets. */
  readonly signal?: AbortSignal;
  /** Time, for WebSockets; the machine's by default. */
  readonly clock?: Clock;
}
