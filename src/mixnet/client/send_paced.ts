import { delay, systemClock, type WaitOptions } from "../../core/async/mod.ts";
import { type LinkFrame, PADDING } from "../link/link_frame.ts";
import {
  PoissonTicks,
  type PoissonTicksOptions,
} from "../link/poisson_ticks.ts";

/** While a frame is to leave within this time none is made, in milliseconds: as long as that may take on a slow machine. */
const QUIET_MS = 20;
/** Most frames that are made and have not left. */
const MAX_READY = 16;

/** The side of a link that sends. */
export interface FrameSink {
  /** Sends frames in one write; resolves when more may be sent. One call at a time. */
  send(frames: readonly LinkFrame[]): Promise<void>;
}

/** Options of {@link sendPaced}. */
export interface SendPacedOptions extends PoissonTicksOptions, WaitOptions {
  /** How long before it leaves a frame is made, in milliseconds. Default 0. */
  readonly leadMs?: number;
}

/**
 * Sends a frame at each tick of a Poisson process until the signal aborts: what `next` gives shortly before, else padding. So what there
 * is to send changes no time.
 *
 * Making a packet takes some milliseconds, more or fewer by what is in it, and nothing is sent meanwhile. With a lead it is made that
 * much earlier, and behind a frame that is to leave soon rather than before it.
 *
 * @throws What `sink` throws, or the reason of the signal.
 */
export async function sendPaced(
  sink: FrameSink,
  next: () => LinkFrame | undefined,
  { signal, leadMs = 0, clock = systemClock, ...options }: SendPacedOptions,
): Promise<never> {
  const ticks = new PoissonTicks({ ...options, clock });
  const ready: { readonly frame: LinkFrame; readonly leavesMs: number }[] = [];
  let tickMs = ticks.draw();
  for (;;) {
    signal?.throwIfAborted();
    const now = clock.now();
    const [first] = ready;
    if (first && first.leavesMs <= now) {
      ready.shift();
      await sink.send([first.frame]);
      continue;
    }
    const leavesMs = tickMs + leadMs;
    const mayWait = first !== undefined && leavesMs > first.leavesMs + QUIET_MS;
    const makesMs = ready.length === MAX_READY ||
        mayWait && first.leavesMs < Math.max(now, tickMs) + QUIET_MS
      ? Infinity
      : tickMs;
    if (makesMs <= now) {
      ready.push({ frame: next() ?? PADDING, leavesMs });
      tickMs = ticks.draw();
      continue;
    }
    const untilMs = Math.min(first?.leavesMs ?? Infinity, makesMs);
    await delay(clock, untilMs - now, { signal });
  }
}
