import { node } from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import type { MixnodeConfig } from "./config.ts";

/** What the strategy needs besides the configuration. */
type StrategyParts = Pick<
  node.PoissonMixOptions,
  "meanDelayMs" | "maxDelayMs" | "random" | "onLateness"
>;

/**
 * The strategy that `[node.mixing]` names.
 *
 * @throws {CliError} `usage` if its numbers do not go together.
 */
export function mixStrategyOf(
  { mixing }: MixnodeConfig["node"],
  parts: StrategyParts,
): node.MixStrategy<node.PooledPacket> {
  const { strategy, pool: capacity, keep, threshold, interval } = mixing;
  const pool = { ...parts, capacity, keep };
  try {
    switch (strategy) {
      case "poisson":
        return new node.PoissonMix({ ...parts, capacity });
      case "threshold":
        return node.thresholdMix({ ...pool, threshold });
      case "timed":
        return node.timedMix({ ...pool, intervalMs: interval });
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new CliError("usage", "The numbers of node.mixing do not fit", {
      cause,
    });
  }
}
