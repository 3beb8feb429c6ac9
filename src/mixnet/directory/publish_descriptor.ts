import {
  Backoff,
  type Clock,
  Deadline,
  delay,
  systemClock,
} from "../../core/async/mod.ts";
import { type Logger, silentLogger } from "../../core/log/mod.ts";
import type { Address } from "../../core/transport/mod.ts";
import type { DirectoryFetch } from "./directory_fetch.ts";
import { epochSchedule } from "./epoch_schedule.ts";
import { DirectoryError } from "./error.ts";

/** Options of {@link publishDescriptor}. */
export interface PublishDescriptorOptions {
  /** Our signed descriptor, with the keys of `epoch` and those after it. */
  readonly describe: (epoch: number) => Uint8Array;
  /** Where the authorities are. */
  readonly authorities: readonly Address[];
  /** Asks them. */
  readonly ask: DirectoryFetch;
  /** Length of the network's epochs. */
  readonly epochSeconds: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Where it says who did not take the descriptor. */
  readonly log?: Logger;
  /** Time. */
  readonly clock?: Clock;
}

const REQUEST_TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 256;
const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;

/**
 * Gives every authority a node's descriptor, now and soon after each epoch begins, until the signal aborts: before they vote on
 * the next. One that does not take it is asked again, after pauses that grow, until the epoch is over.
 */
export async function publishDescriptor(
  options: PublishDescriptorOptions,
): Promise<void> {
  const { authorities, epochSeconds, random, signal } = options;
  const clock = options.clock ?? systemClock;
  const lengthMs = epochSeconds * 1000;
  while (!signal.aborted) {
    const epoch = Math.floor(clock.wallTime() / lengthMs);
    const { endMs } = epochSchedule(epoch, options);
    const descriptor = options.describe(epoch);
    await Promise.all(
      authorities.map((address) =>
        publishTo(address, descriptor, endMs, { ...options, clock })
      ),
    );
    const soonMs = random() * lengthMs / 8;
    const waitMs = Math.max(1, endMs - clock.wallTime() + soonMs);
    await delay(clock, waitMs, { signal }).catch(() => {});
  }
}

async function publishTo(
  address: Address,
  body: Uint8Array,
  endMs: number,
  { ask, random, signal, clock, epochSeconds, log = silentLogger }:
    & PublishDescriptorOptions
    & { readonly clock: Clock },
): Promise<void> {
  const mostMs = epochSeconds * 1000 / 16;
  const backoff = new Backoff({
    minMs: Math.min(MIN_PAUSE_MS, mostMs),
    maxMs: Math.min(MAX_PAUSE_MS, mostMs),
    random,
    clock,
  });
  while (!signal.aborted && clock.wallTime() < endMs) {
    try {
      using deadline = new Deadline(clock, REQUEST_TIMEOUT_MS, { signal });
      const { status } = await ask({
        ...{ address, body, path: "/descriptor", maxBytes: MAX_ANSWER_BYTES },
      }, deadline.signal);
      if (status === 204) return log.debug("directory.published", { address });
      log.warn("directory.not_published", { address, status });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof DirectoryError)) throw error;
      log.warn("directory.not_published", { address, code: error.code });
    }
    await backoff.wait({ signal }).catch(() => {});
  }
}
