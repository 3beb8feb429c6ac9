import { CliError } from "../_error.ts";
import {
  type MetricSample,
  parseExposition,
} from "../mixnode/parse_exposition.ts";
import { exposition } from "./figures.ts";
import type { DemoNode } from "./mix_network.ts";

/** What a node measured. */
export interface NodeFigures {
  /** What a person calls it. */
  readonly name: string;
  /** Packets received, loops included. */
  readonly packets: number;
  /** Packets dropped. */
  readonly dropped: number;
  /** Mean time in the pool. */
  readonly delayMs: number;
  /** Mean size of the pool: arrivals a second times mean time. */
  readonly pool: number;
  /** Entropy of which arrival the last departure was. */
  readonly entropyBits: number;
  /** Equally likely arrivals of the same entropy. */
  readonly setSize: number;
}

/**
 * What `node` measured so far.
 *
 * @throws {CliError} `failed` if a packet is in none of its counters, or there was no mixing.
 */
export async function nodeFigures(
  { name, status }: DemoNode,
  signal: AbortSignal,
): Promise<NodeFigures> {
  const samples = parseExposition(await exposition(status, { signal }));
  const of = (metric: string, labels: Record<string, string> = {}) =>
    sum(samples, `mixnet_${metric}`, labels);
  const packets = (event: string) => of("packets_total", { event });
  const dropped = of("drops_total");
  const came = packets("received") + packets("loop_sent") + packets("offered");
  const went = packets("forwarded") + packets("delivered") +
    packets("loop_returned") + dropped + of("unwrapping_packets") +
    of("pool_packets");
  if (came !== went) {
    throw new CliError("failed", `${came - went} packets are lost in ${name}`);
  }
  const setSize = of("effective_set_size");
  if (!(setSize > 1)) throw new CliError("failed", `${name} mixes nothing`);
  return {
    name,
    packets: packets("received"),
    dropped,
    delayMs: rounded(of("pool_stay_seconds") * 1_000),
    pool: rounded(of("pool_load")),
    entropyBits: rounded(of("entropy_bits")),
    setSize: rounded(setSize),
  };
}

function sum(
  samples: readonly MetricSample[],
  metric: string,
  wanted: Readonly<Record<string, string>>,
): number {
  return samples.filter(({ name, labels }) =>
    name === metric &&
    Object.entries(wanted).every(([key, value]) => labels[key] === value)
  ).reduce((sum, { value }) => sum + value, 0);
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
