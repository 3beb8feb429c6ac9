import { formatAgentName } from "../../src/fabric/mod.ts";
import type { status } from "../../mod.ts";
import { formatBytes } from "../_progress.ts";
import type { ShownFabricNode } from "./node_metrics.ts";

const MAX_AGENTS = 100;
const MAX_GROUPS = 100;

/** What the page of a node shows: its agents, what they have waiting, how their messages went, their groups. */
export function nodeSections(
  { node, book, mailboxes, groups }: ShownFabricNode,
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
    {
      title: "Groups",
      columns: [
        ...["agent", "group", "kind", "members", "epoch", "member"],
        ...["read", "rolled back", "evidence"],
      ],
      rows: [...groups].flatMap(([{ agent }, { groups }]) =>
        groups.all.map((group) => [
          formatAgentName(agent.name),
          group.rules.name || group.id.toHex().slice(0, 12),
          group.rules.kind,
          group.members.length,
          group.epoch,
          group.isMember ? "yes" : "no",
          group.counts.read,
          group.counts.rolledBack,
          group.evidence.length,
        ])
      ).slice(0, MAX_GROUPS),
    },
  ];
}
