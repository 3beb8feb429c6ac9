import { Backoff, type Clock, delay } from "../../core/async/mod.ts";
import type { LinkFrame, MessageFrame } from "../link/link_frame.ts";
import type { Random } from "../node/draw.ts";
import type { ClientPacket, Slot } from "./packet_maker.ts";
import { type FrameSink, sendPaced } from "./send_paced.ts";

/** Of all frames sent, how many say what was collected. */
const COLLECTED_SHARE = 1 / 8;
/** Of the packets that may be real, how many may be replies, which are not acknowledged: the load of the network is the same with and without. */
const REPLY_SHARE = 1 / 4;
/** How long before it leaves a packet is made: longer than that takes, so that what is in it does not show in when it leaves. */
const LEAD_MS = 50;
/** Mean intervals between two packets of ours in which something has to come down: at their rate, it does but once in 10^13 times. */
const SILENT_INTERVALS = 30;
const MIN_SILENCE_MS = 10_000;

/** The link to our gateway; {@link MixLink} is one. */
export interface ClientLink extends FrameSink {
  /** What the gateway sends, until the link is over. */
  frames(): AsyncIterable<readonly LinkFrame[]>;
  /** Ends it. */
  close(): void;
  /** What arrived so far: by it a link is given up that has gone silent. */
  readonly stats?: {
    /** Frames, padding included. */
    readonly received: number;
  };
}

/** Parts of a {@link GatewayConnection}. */
export interface GatewayConnectionOptions {
  /** Connects. */
  readonly dial: (signal: AbortSignal) => Promise<ClientLink>;
  /** Mean number of packets per second that may be real. */
  readonly packetsPerSecond: number;
  /** Mean number of loops per second. */
  readonly loopsPerSecond: number;
  /** How long nothing may come down before the link is given up, in milliseconds; 30 mean intervals of our packets, 10 s at least, by default. */
  readonly silenceMs?: number;
  /** Time. */
  readonly clock: Clock;
  /** Draws when frames leave, what they are, and pauses. */
  readonly random: Random;
  /** The packet that leaves now, if there is a route. */
  readonly next: (slot: Slot) => ClientPacket | undefined;
  /** Takes a message; `false` if there is no room for it, and the gateway is to keep it. */
  readonly take: (message: MessageFrame) => boolean;
  /** Called when messages were taken. */
  readonly onTaken: () => void;
}

/**
 * A client's link to its gateway, made again when it breaks or goes silent: sends frames as a Poisson process whose rate depends on
 * nothing, and says what was taken.
 */
export class GatewayConnection {
  readonly #options: GatewayConnectionOptions;
  #link: ClientLink | undefined;
  #sinceMs = 0;
  #links = 0;
  #silences = 0;
  #framesSent = 0;
  #collected = 0;
  #refused = false;

  /** Connects by {@link run}. */
  constructor(options: GatewayConnectionOptions) {
    this.#options = options;
  }

  /** Whether the link stands. */
  get isConnected(): boolean {
    return this.#link !== undefined;
  }

  /** Links so far. */
  get links(): number {
    return this.#links;
  }

  /** Links given up so far as nothing came down. */
  get silences(): number {
    return this.#silences;
  }

  /** Frames sent so far. */
  get framesSent(): number {
    return this.#framesSent;
  }

  /** How long the link stands on which a message found no room, in milliseconds; `undefined` if all did. */
  get refusedForMs(): number | undefined {
    return this.#link && this.#refused
      ? this.#options.clock.now() - this.#sinceMs
      : undefined;
  }

  /** Ends the link; {@link run} makes another, on which the gateway gives again what was not taken. */
  reopen(): void {
    this.#link?.close();
  }

  /** Keeps a link until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, dial } = this.#options;
    const backoff = new Backoff({ minMs: 500, maxMs: 30_000, random, clock });
    signal.addEventListener("abort", () => this.reopen(), { once: true });
    while (!signal.aborted) {
      try {
        const link = await dial(signal);
        if (signal.aborted) return link.close();
        if (await this.#use(link)) backoff.reset();
      } catch {
        // a dial that failed, or a link that broke: another follows
      }
      await backoff.wait({ signal }).catch(() => {});
    }
  }

  /** Sends and reads until the link is over; whether anything came. */
  async #use(link: ClientLink): Promise<boolean> {
    const { clock, take, onTaken } = this.#options;
    this.#link = link;
    this.#links++;
    this.#sinceMs = clock.now();
    this.#refused = false;
    this.#collected = 0; // of this link: what the gateway counts may have begun anew
    let hasCome = false;
    const stop = new AbortController();
    const sending = this.#send(link, stop.signal).catch(() => link.close());
    const watching = this.#watch(link, stop.signal).catch(() => {});
    try {
      for await (const frames of link.frames()) {
        hasCome = true;
        for (const frame of frames) {
          if (frame.type !== "message") continue;
          // What is behind a message that found no room stays in the mailbox with it.
          if (!take(frame)) this.#refused = true;
          if (!this.#refused) this.#collected = frame.sequence;
        }
        onTaken();
      }
    } finally {
      this.#link = undefined;
      stop.abort();
      link.close();
      await Promise.all([sending, watching]);
    }
    return hasCome || (link.stats?.received ?? 0) > 0;
  }

  async #send(link: ClientLink, signal: AbortSignal): Promise<void> {
    const { clock, random, packetsPerSecond, loopsPerSecond } = this.#options;
    const packets = packetsPerSecond + loopsPerSecond;
    const ratePerSecond = packets / (1 - COLLECTED_SHARE);
    // The sum of independent Poisson processes is one whose events belong to each by chance.
    const next = (): LinkFrame | undefined => {
      this.#framesSent++;
      const draw = random() * ratePerSecond;
      if (draw >= packets) {
        return { type: "collected", sequence: this.#collected };
      }
      const slot = draw >= packetsPerSecond
        ? "loop"
        : draw < packetsPerSecond * REPLY_SHARE
        ? "reply"
        : "message";
      const made = this.#options.next(slot);
      return made && { type: "packet", ...made };
    };
    await sendPaced(link, next, {
      ratePerSecond,
      random,
      clock,
      signal,
      leadMs: LEAD_MS,
    });
  }

  /** Ends a link on which nothing comes, not even padding. */
  async #watch(link: ClientLink, signal: AbortSignal): Promise<void> {
    const { clock, packetsPerSecond, loopsPerSecond } = this.#options;
    const rate = packetsPerSecond + loopsPerSecond;
    const silenceMs = this.#options.silenceMs ??
      Math.max(MIN_SILENCE_MS, SILENT_INTERVALS * 1_000 / rate);
    for (let seen = -1; link.stats && link.stats.received !== seen;) {
      seen = link.stats.received;
      await delay(clock, silenceMs, { signal });
    }
    if (!link.stats) return;
    this.#silences++;
    link.close();
  }
}
