import type { Address } from "../../src/core/transport/mod.ts";
import type { CarrierName } from "../htx/address_for.ts";
import { CliError } from "../_error.ts";
import { table } from "../_table.ts";
import { Child } from "./child.ts";
import { httpGet } from "../_http_get.ts";
import type { Tunnel } from "./tunnel.ts";

/** What one run over one carrier came to. */
export interface Figures extends Transfer, Counts, Latency {
  /** How the proxy reached the server. */
  readonly carrier: CarrierName;
}

/** What the demo itself saw. */
export interface Transfer {
  /** Bytes downloaded and checked, pages included. */
  readonly bytes: number;
  /** Megabytes a second of the file, 1,000,000 bytes each. */
  readonly fileMBPerSecond: number;
  /** Pages downloaded. */
  readonly pages: number;
  /** Half of the pages took no longer. */
  readonly pageP50Ms: number;
  /** 95 of 100 pages took no longer. */
  readonly pageP95Ms: number;
}

/** What proxy and server counted. */
export interface Counts {
  /** Time the proxy's session took to open, ticket and handshake included. */
  readonly handshakeMs: number;
  /** Key changes of both sides. */
  readonly rekeys: number;
  /** Frames of both sides. */
  readonly frames: number;
  /** Bytes of stream data that the server sent into the session. */
  readonly serverBytesOut: number;
  /** Bytes of stream data that the proxy took out of it. */
  readonly proxyBytesIn: number;
}

/** What `betanet-htx probe` saw, over a session of its own. */
export interface Latency {
  /** What a visitor without a ticket was shown; not asked over QUIC. */
  readonly decoy?: {
    readonly status: number;
    readonly type: string;
    readonly protocol: string;
  };
  /** Half of the PINGs took no longer. */
  readonly rttP50Ms: number;
  /** 95 of 100 PINGs took no longer. */
  readonly rttP95Ms: number;
}

/** What a status page may answer. */
const MAX_EXPOSITION_BYTES = 1 << 20;

const PINGS = 200;

/** Reads the counts of both ends. */
export async function readCounts(
  { status }: Tunnel,
  options: { readonly signal: AbortSignal },
): Promise<Counts> {
  const proxy = await exposition(status.proxy, options);
  const server = await exposition(status.server, options);
  const bothWays = (name: string) =>
    sampleOf(proxy, `${name}{direction="in"}`) +
    sampleOf(proxy, `${name}{direction="out"}`);
  const handshakes = sampleOf(proxy, "htx_handshake_seconds_count");
  const seconds = sampleOf(proxy, "htx_handshake_seconds_sum");
  return {
    handshakeMs: rounded(seconds / handshakes * 1000),
    rekeys: bothWays("htx_rekeys_total"),
    frames: bothWays("htx_frames_total"),
    serverBytesOut: sampleOf(server, 'htx_bytes_total{direction="out"}'),
    proxyBytesIn: sampleOf(proxy, 'htx_bytes_total{direction="in"}'),
  };
}

/** Refuses figures of a transfer that did not go through the tunnel as a whole. */
export function requirePassage(
  { bytes }: Pick<Transfer, "bytes">,
  { serverBytesOut, proxyBytesIn }: Pick<
    Counts,
    "serverBytesOut" | "proxyBytesIn"
  >,
): void {
  const passed = Math.min(serverBytesOut, proxyBytesIn);
  if (passed >= bytes) return;
  throw new CliError(
    "failed",
    `Only ${passed} of ${bytes} bytes passed the tunnel`,
  );
}

/** The value of `series` in Prometheus' text format. */
export function sampleOf(exposition: string, series: string): number {
  const line = exposition.split("\n").find((line) =>
    line.startsWith(`${series} `)
  );
  if (line === undefined) {
    throw new CliError("failed", `The status page has no ${series}`);
  }
  return Number(line.slice(series.length));
}

/** Measures round trips from a process of its own. */
export async function measureLatency(
  carrier: CarrierName,
  { recordFile }: Tunnel,
  { signal }: { readonly signal: AbortSignal },
): Promise<Latency> {
  const flags = ["--server", recordFile, "--carrier", carrier, "--json"];
  await using probe = new Child<
    Pick<Latency, "decoy"> & { session: { p50Ms: number; p95Ms: number } }
  >({
    name: "probe",
    role: "htx",
    args: ["probe", ...flags, "--count", String(PINGS)],
    signal,
  });
  const { decoy, session } = await probe.printed;
  return {
    ...(decoy && { decoy }),
    rttP50Ms: session.p50Ms,
    rttP95Ms: session.p95Ms,
  };
}

/** The value below which a `share` of `values` lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return rounded(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
}

/** `figures` for a person. */
export function figuresTable(figures: readonly Figures[]): string {
  return table(
    [
      "carrier",
      "bytes",
      "MB/s",
      "pages",
      "handshake ms",
      "rekeys",
      "RTT p50 ms",
      "p95 ms",
    ],
    figures.map((f) => [
      f.carrier,
      f.bytes,
      f.fileMBPerSecond,
      f.pages,
      f.handshakeMs,
      f.rekeys,
      f.rttP50Ms,
      f.rttP95Ms,
    ]),
  );
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** What `/metrics` of the status page at `address` says. */
export async function exposition(
  address: Address,
  options: { readonly signal: AbortSignal },
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of httpGet(`${address}/metrics`, options)) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > MAX_EXPOSITION_BYTES) {
      throw new CliError("failed", "The status page is too long");
    }
  }
  return text;
}
