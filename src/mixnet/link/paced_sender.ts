import type { WaitOptions } from "../../core/async/mod.ts";
import { type LinkFrame, PADDING } from "./link_frame.ts";
import { PoissonTicks, type PoissonTicksOptions } from "./poisson_ticks.ts";

const QUEUED = 64;

/** Options of {@link PacedSender}. */
export interface PacedSenderOptions extends PoissonTicksOptions {
  /** Sends, as `MixLink.send`. */
  readonly send: (frames: readonly LinkFrame[]) => Promise<void>;
  /** Most frames that wait. Default 64. */
  readonly maxQueuedFrames?: number;
}

/** Counts of a {@link PacedSender}, in frames. */
export interface PacedSenderStats {
  /** Offered frames that were sent. */
  readonly sent: number;
  /** Padding that was sent because nothing waited. */
  readonly padding: number;
  /** Offered frames that were refused because too many waited. */
  readonly full: number;
  /** Frames that wait. */
  readonly queued: number;
}

/** Sends one frame at each tick of a Poisson process: the next that waits, else padding. What waits changes no time. */
export class PacedSender {
  readonly #options: PacedSenderOptions;
  readonly #ticks: PoissonTicks;
  readonly #maxQueued: number;
  readonly #queue: LinkFrame[] = [];
  #sent = 0;
  #padding = 0;
  #full = 0;

  /**
   * Starts with nothing to send.
   *
   * @throws {RangeError} If the rate or the bound is not above 0.
   */
  constructor(options: PacedSenderOptions) {
    const { maxQueuedFrames = QUEUED } = options;
    if (!(maxQueuedFrames > 0)) {
      throw new RangeError(`Want room for a frame: got ${maxQueuedFrames}`);
    }
    this.#options = options;
    this.#maxQueued = maxQueuedFrames;
    this.#ticks = new PoissonTicks(options);
  }

  /** Counts since the start. */
  get stats(): PacedSenderStats {
    return {
      sent: this.#sent,
      padding: this.#padding,
      full: this.#full,
      queued: this.#queue.length,
    };
  }

  /** Queues `frame`; `false`, and counted, if too many wait. */
  offer(frame: LinkFrame): boolean {
    if (this.#queue.length >= this.#maxQueued) {
      this.#full++;
      return false;
    }
    this.#queue.push(frame);
    return true;
  }

  /**
   * Sends until the signal aborts or sending fails.
   *
   * @throws What `send` throws; a frame that was being sent is not queued again.
   * @throws The reason of the signal.
   */
  async run({ signal }: WaitOptions = {}): Promise<never> {
    while (true) {
      await this.#ticks.next({ signal });
      const frame = this.#queue.shift();
      await this.#options.send([frame ?? PADDING]);
      if (frame) this.#sent++;
      else this.#padding++;
    }
  }
}
