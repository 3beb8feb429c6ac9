import { type Clock, systemClock } from "../../src/core/async/mod.ts";
import type { status } from "../../mod.ts";
import { formatBytes } from "../_progress.ts";
import { EVENTS } from "./node_metrics.ts";
import type { RunningDtnNode } from "./open_node.ts";

const MAX_NEIGHBOURS = 100;

/** What the page of a node shows: what is stored, who is in contact, what happened since the start and each second since the last look. */
export function nodeSections(
  { node, bundles }: Pick<RunningDtnNode, "node" | "bundles">,
  clock: Pick<Clock, "now"> = systemClock,
): () => status.StatusSection[] {
  let last = { atMs: clock.now(), counts: node.counts };
  return () => {
    const now = { atMs: clock.now(), counts: node.counts };
    const { counts } = now;
    const seconds = (now.atMs - last.atMs) / 1_000;
    const rate = (event: typeof EVENTS[number]) =>
      seconds > 0
        ? Math.round((counts[event] - last.counts[event]) / seconds * 10) / 10
        : 0;
    const events = EVENTS.map((event) => [event, counts[event], rate(event)]);
    last = now;
    const { usage } = bundles;
    const { neighbours } = node;
    const dropped = Object.entries(counts.dropped)
      .filter(([, count]) => count > 0);
    return [
      {
        title: "Node",
        rows: [
          ["node id", `${node.nodeId}`],
          ["neighbours in contact", neighbours.length],
          ["bundles stored", usage.bundles],
          ["bytes stored", formatBytes(usage.bytes)],
          ["endpoints with an application", node.endpoints.length],
        ],
      },
      {
        title: "Neighbours in contact",
        rows: neighbours.length === 0
          ? [["none"]]
          : neighbours.slice(0, MAX_NEIGHBOURS).map((id) => [id]),
      },
      {
        title: "Bundles",
        columns: ["what happened", "so far", "a second since the last look"],
        rows: events,
      },
      {
        title: "Drops",
        columns: ["reason", "bundles"],
        rows: dropped.length === 0 ? [["none", 0]] : dropped,
      },
    ];
  };
}
