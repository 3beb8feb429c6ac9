import type { Metrics } from "../../src/core/metrics/mod.ts";
import {
  type BundleStore,
  type DtnNode,
  NODE_DROPS,
} from "../../src/dtn/mod.ts";

/** Names in the counts of a node of what happens to bundles. */
export const EVENTS = [
  "created",
  "received",
  "stored",
  "forwarded",
  "refused",
  "unknown",
  "reassembled",
  "delivered",
] as const;

/** Exposes what a node has and has done, as `dtn_…` (docs/dtn.md). */
export function exposeDtnNode(
  metrics: Metrics,
  { node, bundles }: {
    readonly node: Pick<DtnNode, "counts" | "neighbours">;
    readonly bundles: Pick<BundleStore, "usage">;
  },
): void {
  metrics.counterFrom({
    name: "dtn_bundles_total",
    help: "Bundles, by what happened to them",
    labels: { event: EVENTS },
    read: ({ event }) => node.counts[event],
  });
  metrics.counterFrom({
    name: "dtn_drops_total",
    help: "Bundles dropped, by reason",
    labels: { reason: NODE_DROPS },
    read: ({ reason }) => node.counts.dropped[reason],
  });
  metrics.gaugeFrom({
    name: "dtn_stored_bundles",
    help: "Bundles in the store",
    read: () => bundles.usage.bundles,
  });
  metrics.gaugeFrom({
    name: "dtn_stored_bytes",
    help: "Bytes of bundles in the store",
    read: () => bundles.usage.bytes,
  });
  metrics.counterFrom({
    name: "dtn_store_damaged_total",
    help: "Times that what the disk has damaged was passed over",
    read: () => bundles.usage.damaged,
  });
  metrics.gaugeFrom({
    name: "dtn_neighbours",
    help: "Neighbours in contact",
    read: () => node.neighbours.length,
  });
  metrics.counterFrom({
    name: "dtn_contacts_total",
    help:
      "Contacts, attempts that made none, and contacts closed as they were silent",
    labels: { result: ["begun", "failed", "silent"] },
    read: ({ result }) => {
      const { contacts, failedDials, silent } = node.counts;
      return { begun: contacts, failed: failedDials, silent }[result];
    },
  });
}
