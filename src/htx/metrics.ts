import type { Metrics } from "../core/metrics/mod.ts";
import type { TlsListener } from "../tls/mod.ts";
import type { Decoy } from "./decoy.ts";
import { type Gate, GATE_REASONS } from "./gate.ts";
import { PROTOCOLS } from "./protocol_tally.ts";
import type { HtxServer, HtxServerCounts } from "./server.ts";
import type { SessionDialer } from "./session_dialer.ts";
import type { SessionTotals } from "./totals.ts";
import type { TunnelStats } from "./tunnel/stats.ts";

/** Where latencies go: the hooks of {@link HtxServerOptions} and {@link SessionOptions}. */
export interface LatencyHooks {
  /** Counts a handshake, in milliseconds. */
  readonly onHandshake: (durationMs: number) => void;
  /** Counts a round trip, in milliseconds. */
  readonly onRoundTrip: (rttMs: number) => void;
}

/** What {@link exposeServer} reads. */
export interface ServerParts {
  /** The server. */
  readonly server: HtxServer;
  /** Its gate. */
  readonly gate: Gate;
  /** Its decoy. */
  readonly decoy: Decoy;
  /** What forwards its streams, if that is what becomes of them. */
  readonly forwarder?: { stats(): TunnelStats<string> };
  /** Its listeners for TLS. */
  readonly tls: readonly Pick<TlsListener, "refused">[];
}

/** What {@link exposeClient} reads. */
export interface ClientParts {
  /** The dialer. */
  readonly dialer: SessionDialer;
  /** What accepts local connections, one for each listener. */
  readonly tunnels: readonly { stats(): TunnelStats<string> }[];
}

const LATENCY_SECONDS = [
  0.0002,
  0.0005,
  0.001,
  0.002,
  0.005,
  0.01,
  0.02,
  0.05,
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10,
];
const HANDSHAKE_COUNT = {
  established: "established",
  rejected: "handshakeRejected",
  broken: "handshakeBroken",
  refused: "clientRefused",
} as const;
const TLS_REFUSED = {
  unserved: "unserved",
  failed: "failed",
  ended: "ended",
  internal: "internal",
  timeout: "timeout",
  crowded_out: "crowdedOut",
} as const;
const DIRECTIONS = ["in", "out"] as const;

/** Declares the latency histograms and returns what fills them. */
export function latencyHooks(metrics: Metrics): LatencyHooks {
  const handshake = metrics.histogram({
    name: "htx_handshake_seconds",
    help: "Time an inner handshake took",
    buckets: LATENCY_SECONDS,
  });
  const roundTrip = metrics.histogram({
    name: "htx_round_trip_seconds",
    help: "Round trips measured by PING",
    buckets: LATENCY_SECONDS,
  });
  return {
    onHandshake: (durationMs) => handshake.observe(durationMs / 1000),
    onRoundTrip: (rttMs) => roundTrip.observe(rttMs / 1000),
  };
}

/** Exposes what a server counts. */
export function exposeServer(
  metrics: Metrics,
  { server, gate, decoy, forwarder, tls }: ServerParts,
): void {
  exposeTotals(metrics, () => server.totals);
  metrics.gaugeFrom({
    name: "htx_sessions",
    help: "Sessions open now",
    read: () => server.sessions.size,
  });
  const count = (name: keyof HtxServerCounts) => server.counts[name];
  metrics.counterFrom({
    name: "htx_connections_total",
    help: "Connections accepted, by the protocol agreed on in TLS",
    labels: { alpn: PROTOCOLS },
    read: ({ alpn }) => server.connections[alpn],
  });
  metrics.counterFrom({
    name: "htx_tickets_total",
    help: "First requests by what the gate made of them",
    labels: { result: ["admitted", ...GATE_REASONS] },
    read: ({ result }) => gate.counts[result],
  });
  metrics.counterFrom({
    name: "htx_handshakes_total",
    help: "Inner handshakes by result",
    labels: { result: ["established", "rejected", "broken", "refused"] },
    read: ({ result }) => count(HANDSHAKE_COUNT[result]),
  });
  metrics.counterFrom({
    name: "htx_drops_total",
    help: "Connections that were not served, by reason",
    labels: { reason: ["incomplete", "full"] },
    read: ({ reason }) => count(reason),
  });
  metrics.counterFrom({
    name: "htx_decoy_total",
    help: "Connections given to the decoy, by what became of them",
    labels: { result: ["served", "refused", "unreachable", "unlike"] },
    read: ({ result }) => decoy.counts[result],
  });
  metrics.counterFrom({
    name: "htx_decoy_visitors_total",
    help:
      "Connections joined to the decoy's origin, by the protocol agreed on in TLS",
    labels: { alpn: PROTOCOLS },
    read: ({ alpn }) => decoy.visitors[alpn],
  });
  metrics.counterFrom({
    name: "htx_tls_refused_total",
    help: "TCP connections that became no TLS connection, by reason",
    labels: {
      reason: [
        "unserved",
        "failed",
        "ended",
        "internal",
        "timeout",
        "crowded_out",
      ],
    },
    read: ({ reason }) =>
      tls.reduce((sum, each) => sum + each.refused[TLS_REFUSED[reason]], 0),
  });
  if (forwarder) exposeTunnels(metrics, [forwarder]);
}

/** Exposes what a client counts. */
export function exposeClient(
  metrics: Metrics,
  { dialer, tunnels }: ClientParts,
): void {
  exposeTotals(metrics, () => dialer.totals);
  metrics.gaugeFrom({
    name: "htx_sessions",
    help: "Sessions open now",
    read: () => dialer.session ? 1 : 0,
  });
  metrics.counterFrom({
    name: "htx_handshakes_total",
    help: "Attempts to open a session, by result",
    labels: { result: ["established", "failed"] },
    read: ({ result }) => dialer.counts[result],
  });
  exposeTunnels(metrics, tunnels);
}

function exposeTotals(metrics: Metrics, read: () => SessionTotals): void {
  metrics.gaugeFrom({
    name: "htx_streams",
    help: "Streams open now",
    read: () => read().streams,
  });
  for (
    const [name, help, into, out] of [
      ["htx_bytes_total", "Stream bytes", "bytesIn", "bytesOut"],
      ["htx_frames_total", "Frames", "framesIn", "framesOut"],
      ["htx_padding_bytes_total", "Padding bytes", "paddingIn", "paddingOut"],
      ["htx_rekeys_total", "Key changes", "rekeysIn", "rekeysOut"],
    ] as const
  ) {
    metrics.counterFrom({
      name,
      help,
      labels: { direction: DIRECTIONS },
      read: ({ direction }) => read()[direction === "in" ? into : out],
    });
  }
}

function exposeTunnels(
  metrics: Metrics,
  tunnels: readonly { stats(): TunnelStats<string> }[],
): void {
  const sum = (pick: (stats: TunnelStats<string>) => number) =>
    tunnels.reduce((total, tunnel) => total + pick(tunnel.stats()), 0);
  metrics.gaugeFrom({
    name: "htx_tunnels",
    help: "Tunnels open now",
    read: () => sum(({ active }) => active),
  });
  metrics.counterFrom({
    name: "htx_tunnel_bytes_total",
    help: "Bytes passed on between clients and targets",
    labels: { direction: ["up", "down"] },
    read: ({ direction }) =>
      sum((s) => direction === "up" ? s.upBytes : s.downBytes),
  });
  metrics.counterFrom({
    name: "htx_tunnels_ended_total",
    help: "Tunnels that ended, by reason",
    labels: { reason: ["finished", "reset", "idle", "aborted"] },
    read: ({ reason }) => sum(({ ended }) => ended[reason]),
  });
  const reasons = tunnels.flatMap((t) => Object.keys(t.stats().refused));
  metrics.counterFrom({
    name: "htx_tunnels_refused_total",
    help: "Connections that got no tunnel, by reason",
    labels: { reason: [...new Set(reasons)] },
    read: ({ reason }) => sum(({ refused }) => refused[reason] ?? 0),
  });
}
