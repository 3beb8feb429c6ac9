import { linkFrameLength } from "../../src/mixnet/link/link_frame.ts";
import { sphinxGeometry } from "../../src/mixnet/sphinx/geometry.ts";
import type { ClientFault } from "./_client_fault.ts";
import { GateNetwork } from "./_gate_network.ts";
import { PARAMETERS } from "./_gate_nodes.ts";
import { talk } from "./_gate_traffic.ts";
import type { Arm, LinkGroup } from "./_gate_verdict.ts";
import type { LinkTrace, LinkWrite } from "./_link_trace.ts";

const CONNECTED_MS = 3_000;
const SETTLED_MS = 10_000;
const PACKETS_PER_SECOND = (PARAMETERS.clientPacketsPer1000S +
  PARAMETERS.clientLoopsPer1000S) / 1_000;
/** Frames per second that a client sends: its packets and, one in eight, what it collected. */
export const UPLINK_PER_SECOND = PACKETS_PER_SECOND * 8 / 7;
export const DOWNLINK_PER_SECOND = PACKETS_PER_SECOND * 3;

/** One run of the network. */
export interface RunOptions {
  /** Of all chance. */
  readonly seed: number;
  /** How many. */
  readonly clients: number;
  /** How long links are watched, in seconds of the virtual clock. */
  readonly seconds: number;
  /** Of all messages, how many ask for a reply; without it nobody says anything. */
  readonly requestShare?: number;
  /** Of the first clients, in order; the others are honest. */
  readonly faults?: readonly ClientFault[];
}

/** What was seen in a run. */
export interface Run {
  readonly arm: Omit<Arm, "links">;
  readonly traces: readonly LinkTrace[];
  /** Packets of clients with something in them, and without. */
  readonly packets: { readonly real: number; readonly cover: number };
  /** Packets that nodes dropped. */
  readonly dropped: number;
}

/** Runs a network, with clients that talk or are idle. */
export async function run(options: RunOptions): Promise<Run> {
  const { seed, clients, seconds, requestShare, faults = [] } = options;
  const network = new GateNetwork(seed);
  await network.start();
  for (let i = 0; i < clients; i++) network.addClient(faults[i]);
  const { clock, random } = network;
  await clock.run(CONNECTED_MS);
  if (requestShare !== undefined) {
    const { clients } = network;
    const addresses = clients.map(({ address }) => address);
    talk({ clock, random, clients, addresses, requestShare });
  }
  await clock.run(SETTLED_MS - CONNECTED_MS);
  const untilMs = SETTLED_MS + 1_000 * seconds;
  const before = packetsOf(network);
  await clock.run(untilMs - SETTLED_MS);
  const after = packetsOf(network);
  const { dropped, recorder } = network;
  await network.close();
  return {
    arm: { fromMs: SETTLED_MS, untilMs },
    traces: recorder.traces,
    packets: {
      real: after.real - before.real,
      cover: after.cover - before.cover,
    },
    dropped,
  };
}

/** What an observer sees of clients, of `cover` those that are watched: both directions of their links. */
export function clientGroup(
  cover: Run,
  real: Run,
  windowMs: number,
  isWatched: (client: string) => boolean = () => true,
): LinkGroup {
  const links = ({ arm, traces }: Run): Arm => ({
    ...arm,
    links: traces.filter(({ from }) =>
      from.startsWith("client") && (traces === real.traces || isWatched(from))
    ).map((up) => ({
      up: up.writes,
      down: traces.find(({ from, to }) => from === up.to && to === up.from)!
        .writes,
    })),
  });
  return {
    name: "client",
    frameLength: FRAME_LENGTH,
    ratePerSecond: { up: UPLINK_PER_SECOND, down: DOWNLINK_PER_SECOND },
    windowMs,
    cover: links(cover),
    real: links(real),
  };
}

/** What an observer sees between nodes, by their roles. */
export function nodeGroups(
  cover: Run,
  real: Run,
  windowMs: number,
): LinkGroup[] {
  return [["gateway", "mix"], ["mix", "mix"], ["mix", "gateway"]].map((
    [from, to],
  ) => nodeGroup(from!, to!, cover, real, windowMs));
}

function nodeGroup(
  from: string,
  to: string,
  cover: Run,
  real: Run,
  windowMs: number,
): LinkGroup {
  const sortOf = (host: string) => host.startsWith("mix") ? "mix" : "gateway";
  const links = ({ arm, traces }: Run): Arm => ({
    ...arm,
    links: traces.filter((trace) =>
      !/client/.test(trace.from + trace.to) &&
      sortOf(trace.from) === from && sortOf(trace.to) === to &&
      trace.writes.some(({ atMs }) => atMs >= arm.fromMs)
    ).map(({ writes }): Record<string, readonly LinkWrite[]> => ({ writes })),
  });
  return {
    name: `${from} to ${to}`,
    frameLength: FRAME_LENGTH,
    windowMs,
    cover: links(cover),
    real: links(real),
  };
}

/** Bytes of a frame. */
export const FRAME_LENGTH = linkFrameLength(
  sphinxGeometry(PARAMETERS.payloadLength).packetLength,
);

function packetsOf({ clients }: GateNetwork): Run["packets"] {
  const total = { real: 0, cover: 0 };
  for (const { stats } of clients) {
    total.real += stats.realPackets;
    total.cover += stats.coverPackets;
  }
  return total;
}
