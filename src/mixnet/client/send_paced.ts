import type { WaitOptions } from "../../core/async/mod.ts";
import { type LinkFrame, PADDING } from "../link/link_frame.ts";
import {
  PoissonTicks,
  type PoissonTicksOptions,
} from "../link/poisson_ticks.ts";

/** The side of a link that sends. */
export interface FrameSink {
  /** Sends frames in one write; resolves when more may be sent. One call at a time. */
  send(frames: readonly LinkFrame[]): Promise<void>;
}

/**
 * Sends a frame at each tick of a Poisson process until the signal aborts: what `next` gives at that moment, else padding. So a packet
 * is made when it leaves, and what there is to send changes no time.
 *
 * @throws What `sink` throws, or the reason of the signal.
 */
export async function sendPaced(
  sink: FrameSink,
  next: () => LinkFrame | undefined,
  { signal, ...options }: PoissonTicksOptions & WaitOptions,
): Promise<never> {
  const ticks = new PoissonTicks(options);
  for (;;) {
    await ticks.next({ signal });
    await sink.send([next() ?? PADDING]);
  }
}
