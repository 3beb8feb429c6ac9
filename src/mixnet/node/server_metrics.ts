import type { Clock } from "../../core/async/mod.ts";
import type { Metrics } from "../../core/metrics/mod.ts";
import { MIXNET_ERRORS } from "../error.ts";
import type { Gateway, GatewayDrop } from "../gateway/gateway.ts";
import { LINK_REFUSALS, type LinkListeners } from "../link/link_listeners.ts";
import { exposeMixNode } from "./metrics.ts";
import type { MixServer } from "./mix_server.ts";
import type { UnwrapPool } from "./unwrap_pool.ts";

/** Exposes what {@link exposeMixNode} does of the node of `server`, and its links and mailboxes. */
export function exposeMixServer(
  metrics: Metrics,
  server: MixServer,
  { pool, clock }: { readonly pool: UnwrapPool; readonly clock: Clock },
): void {
  const { node, replay, egress, links, gateway } = server;
  exposeMixNode(metrics, { node, replay, egress, pool, clock });
  metrics.counterFrom({
    name: "mixnet_refused_frames_total",
    help: "Frames of nodes that were no packets",
    read: () => server.refusedFrames,
  });
  exposeLinks(metrics, links);
  if (gateway) exposeGateway(metrics, gateway);
}

function exposeLinks(metrics: Metrics, links: LinkListeners): void {
  metrics.gaugeFrom({
    name: "mixnet_links",
    help: "Links that others made to us and handshakes under way",
    labels: { state: ["open", "pending"] },
    read: ({ state }) =>
      state === "open" ? links.stats.links : links.stats.pending,
  });
  metrics.counterFrom({
    name: "mixnet_links_accepted_total",
    help: "Links that others made to us",
    read: () => links.stats.accepted,
  });
  metrics.counterFrom({
    name: "mixnet_links_replaced_total",
    help: "Links closed because the same key made a newer one",
    read: () => links.stats.replaced,
  });
  metrics.counterFrom({
    name: "mixnet_links_slowed_total",
    help:
      "How often a link was read more slowly because its key or network had sent too fast",
    read: () => links.stats.slowed,
  });
  metrics.counterFrom({
    name: "mixnet_links_refused_total",
    help: "Connections that became no link, by reason",
    labels: { reason: LINK_REFUSALS },
    read: ({ reason }) => links.stats.refused[reason] ?? 0,
  });
  metrics.counterFrom({
    name: "mixnet_links_failed_total",
    help: "Links that ended by a failure, by reason",
    labels: { reason: MIXNET_ERRORS },
    read: ({ reason }) => links.stats.failed[reason] ?? 0,
  });
}

function exposeGateway(metrics: Metrics, gateway: Gateway): void {
  metrics.gaugeFrom({
    name: "mixnet_mailbox_clients",
    help: "Clients that have a mailbox, and those connected",
    labels: { state: ["known", "connected"] },
    read: ({ state }) => {
      const { clients, connected } = gateway.counts;
      return state === "known" ? clients : connected;
    },
  });
  metrics.gaugeFrom({
    name: "mixnet_mailbox_messages",
    help: "Messages that wait for clients",
    read: () => gateway.counts.messages,
  });
  metrics.gaugeFrom({
    name: "mixnet_mailbox_bytes",
    help: "Bytes of those messages",
    read: () => gateway.counts.bytes,
  });
  metrics.counterFrom({
    name: "mixnet_mailbox_total",
    help: "Messages, by what became of them, and acknowledgements sent",
    labels: {
      event: [
        "stored",
        "reply_stored",
        "cover",
        "acknowledged",
        "collected",
        "expired",
      ],
    },
    read: ({ event }) => {
      const counts = gateway.counts;
      return event === "reply_stored" ? counts.repliesStored : counts[event];
    },
  });
  metrics.counterFrom({
    name: "mixnet_mailbox_drops_total",
    help: "Payloads, clients and acknowledgements dropped, by reason",
    labels: { reason: Object.keys(gateway.counts.dropped) as GatewayDrop[] },
    read: ({ reason }) => gateway.counts.dropped[reason],
  });
}
