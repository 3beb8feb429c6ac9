import type { Delivery, DtnNode, Eid } from "../../dtn/mod.ts";

/** What agents need of a node of bundles; a `DtnNode` is one. */
export interface BundlePort {
  /** Sends a bundle; resolves once it is stored. */
  send(options: Parameters<DtnNode["send"]>[0]): Promise<string>;
  /** Bundles for an endpoint of the node, as they come; each is given again after a restart until it is accepted. */
  register(endpoint: Eid): AsyncIterable<Delivery> & Disposable;
}
