import { formatAgentName } from "../../src/fabric/mod.ts";
import type { status } from "../../mod.ts";
import { formatBytes } from "../_progress.ts";
import type { ShownFabricNode } from "./node_metrics.ts";

const MAX_AGENTS = 100;

/** What the page of a node shows: its agents, what they have waiting, how their messages went. */
export function nodeSections(
  { node, book, mailboxes }: ShownFabricNode,
): () => status.StatusSection[] {
  return () => [
    {
      title: "Node",
      rows: [
        ["live sessions", node.links.size],
        ["agents that are known", book.size],
        ["records whose name is another's", book.conflicts],
        ["messages that wait for an application", mailboxes.counts.waiting],
        ["bundles sent", node.bundleCounts.sent],
        ["bundles taken", node.bundleCounts.received],
      ],
    },
    {
      title: "Agents",
      columns: [
        ...["agent", "waiting", "bytes", "settled", "given up"],
        ...["by rpc", "by bundle", "fell back", "handled", "refused"],
      ],
      rows: node.agents.slice(0, MAX_AGENTS).map(
        ({ agent, outbox, counts }) => [
          formatAgentName(agent.name),
          outbox.size,
          formatBytes(outbox.bytes),
          outbox.counts.settled,
          outbox.counts.dead,
          counts.attempts.rpc,
          counts.attempts.bundle,
          counts.fallbacks,
          counts.handled,
          counts.refused,
        ],
      ),
    },
  ];
}
