import type { Metrics } from "../../src/core/metrics/mod.ts";
import {
  type AgentBook,
  type AgentGroups,
  type Fabric,
  type FabricNode,
  type Mailboxes,
  MESSAGE_KINDS,
  RECEIPT_STATES,
} from "../../src/fabric/mod.ts";
import { exposeGroups } from "./group_metrics.ts";

/** What {@link exposeFabricNode} shows. */
export interface ShownFabricNode {
  /** The node. */
  readonly node: Pick<
    FabricNode,
    "agents" | "bundleCounts" | "counts" | "links"
  >;
  /** Whom it knows. */
  readonly book: Pick<AgentBook, "conflicts" | "evicted" | "size">;
  /** What waits for applications. */
  readonly mailboxes: Pick<Mailboxes, "counts">;
  /** The groups of its agents. */
  readonly groups: ReadonlyMap<Fabric, AgentGroups>;
}

const WAYS = ["rpc", "bundle"] as const;
/** What became of messages that agents here sent. */
const SENT = [
  "accepted",
  "settled",
  "dead",
  "full",
  "forgotten",
] as const;
/** What became of messages that came for them. */
const RECEIVED = [
  ...["handled", "refused", "copies", "expired", "outOfOrder", "full"] as const,
] as const;
const EVENTS = [
  "handled",
  "refused",
  "copy",
  "expired",
  "order",
  "full",
] as const;
/** Why other things were dropped. */
const DROPS = [
  ...["unknown_agent", "bad_receipts", "unopened", "too_many_links"] as const,
  ...["late_answer", "foreign_receipt", "agent_evicted"] as const,
  "surplus_receipt",
  ...["no_application", "bad_records", "bundle_of_full_sender"] as const,
  ...["no_hello", "link_violation", "link_unread", "old_record"] as const,
  ...["unproven_sender", "link_evicted"] as const,
] as const;

/** Exposes what a node has and has done, as `fabric_…` (docs/fabric.md). */
export function exposeFabricNode(
  metrics: Metrics,
  { node, book, mailboxes, groups }: ShownFabricNode,
): void {
  exposeGroups(metrics, groups);
  const sum = (of: (fabric: Fabric) => number) =>
    node.agents.reduce((total, fabric) => total + of(fabric), 0);
  metrics.counterFrom({
    name: "fabric_messages_total",
    help: "Messages that a way took, by what they are",
    labels: { kind: MESSAGE_KINDS, way: WAYS },
    read: ({ kind, way }) => sum(({ counts }) => counts.carried[way][kind]),
  });
  metrics.counterFrom({
    name: "fabric_attempts_total",
    help: "Attempts to send a message, by way",
    labels: { way: WAYS },
    read: ({ way }) => sum(({ counts }) => counts.attempts[way]),
  });
  metrics.counterFrom({
    name: "fabric_fallbacks_total",
    help:
      "Times that a bundle was made of a message as its agent gave no sign of life in time",
    read: () => sum(({ counts }) => counts.fallbacks),
  });
  metrics.counterFrom({
    name: "fabric_sent_total",
    help: "Messages of the outboxes, by what became of them",
    labels: { event: SENT },
    read: ({ event }) => sum(({ outbox }) => outbox.counts[event]),
  });
  metrics.counterFrom({
    name: "fabric_received_total",
    help: "Messages that came, by what became of them",
    labels: { event: EVENTS },
    read: ({ event }) => {
      const name = RECEIVED[EVENTS.indexOf(event)]!;
      return sum(({ counts }) => counts[name]);
    },
  });
  metrics.counterFrom({
    name: "fabric_drops_total",
    help: "What came or went for nobody, by reason",
    labels: { reason: DROPS },
    read: ({ reason }) =>
      ({
        unknown_agent: node.counts.unknownAgent,
        bad_receipts: node.counts.badReceipts,
        unopened: node.bundleCounts.unopened,
        too_many_links: node.links.counts.refused,
        late_answer: sum(({ lateAnswers }) => lateAnswers),
        foreign_receipt: sum(({ foreignReceipts }) => foreignReceipts),
        agent_evicted: book.evicted,
        surplus_receipt: sum(({ surplusReceipts }) => surplusReceipts),
        no_application: mailboxes.counts.refused,
        bad_records: node.counts.badRecords,
        bundle_of_full_sender: node.bundleCounts.full,
        no_hello: node.links.counts.unopened,
        link_violation: node.links.counts.violations,
        link_unread: node.links.counts.unread,
        old_record: node.links.counts.records,
        unproven_sender: node.links.counts.unproven,
        link_evicted: node.links.counts.evicted,
      })[reason],
  });
  metrics.counterFrom({
    name: "fabric_receipts_total",
    help: "Receipts that came, by what they say",
    labels: { state: RECEIPT_STATES },
    read: ({ state }) => sum(({ receipts }) => receipts.counts[state]),
  });
  metrics.gaugeFrom({
    name: "fabric_outbox_messages",
    help: "Messages that are not settled",
    read: () => sum(({ outbox }) => outbox.size),
  });
  metrics.gaugeFrom({
    name: "fabric_outbox_bytes",
    help: "Bytes of them",
    read: () => sum(({ outbox }) => outbox.bytes),
  });
  metrics.gaugeFrom({
    name: "fabric_waiting_messages",
    help: "Messages that wait for an application",
    read: () => mailboxes.counts.waiting,
  });
  metrics.gaugeFrom({
    name: "fabric_links",
    help: "Live sessions with other nodes",
    read: () => node.links.size,
  });
  metrics.gaugeFrom({
    name: "fabric_known_agents",
    help: "Agents that are known",
    read: () => book.size,
  });
  metrics.counterFrom({
    name: "fabric_name_conflicts_total",
    help: "Records whose name is another agent's",
    read: () => book.conflicts,
  });
}
