import type { Clock } from "../../core/async/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import type { Eid } from "../bundle/eid.ts";
import type { BundleStore } from "../store/bundle_store.ts";
import type { DtnNodeOptions } from "./dtn_node_options.ts";
import type { OwnCounts } from "./node_counts.ts";
import type { Tasks } from "./tasks.ts";

/** What all parts of a node know. */
export interface NodeContext {
  /** Our node id. */
  readonly nodeId: Eid;
  /** What its owner wants of the node. */
  readonly options: DtnNodeOptions;
  /** Keeps the bundles. */
  readonly store: BundleStore;
  /** What happened so far. */
  readonly counts: OwnCounts;
  /** What goes on by itself. */
  readonly tasks: Tasks;
  /** Where the parts say what failed. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

/** Whether `endpoint` is one of the node with `nodeId`. */
export function isOurs(nodeId: Eid, endpoint: Eid): boolean {
  return endpoint.nodeId().equals(nodeId);
}
