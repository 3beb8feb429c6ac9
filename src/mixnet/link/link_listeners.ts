import { BoundedQueue, systemClock } from "../../core/async/mod.ts";
import { encodeHex } from "../../core/bytes/mod.ts";
import type { Connection, Listener } from "../../core/transport/mod.ts";
import { MIXNET_ERRORS, MixnetError, type MixnetErrorCode } from "../error.ts";
import { acceptLink, type AcceptLinkOptions } from "./dial_link.ts";
import { FrameBudgets, type FrameRate } from "./frame_budgets.ts";
import type { MixLink } from "./mix_link.ts";
import { networkPrefix } from "./network_prefix.ts";

const PENDING = 256;
const PENDING_OF_NETWORK = 32;
const LINKS = 4_096;
const LINKS_OF_NETWORK = 256;
const KEY_RATE = { framesPerSecond: 20_000, burstFrames: 40_000 };
const NETWORK_RATE = { framesPerSecond: 50_000, burstFrames: 100_000 };
/** Links that nobody has taken yet. */
const BACKLOG = 128;

/** Where connections come from: any listener, or the streams of sessions. */
export type ConnectionSource = AsyncIterable<Connection> & { close(): void };

/** Why a connection became no link. */
export const LINK_REFUSALS = [
  "pending", // too many handshakes at once
  "pending_network", // too many of one network at once
  "links", // too many links
  "links_network", // too many links of one network
  "backlog", // too many links that nobody has taken
  "stopped", // we stopped during the handshake
  ...MIXNET_ERRORS, // the handshake failed
] as const;

/** One of {@link LINK_REFUSALS}. */
export type LinkRefusal = typeof LINK_REFUSALS[number];

/** Options of {@link LinkListeners}. */
export interface LinkListenersOptions
  extends Omit<AcceptLinkOptions, "signal" | "spend"> {
  /** Most handshakes at once. Default 256. */
  readonly maxPending?: number;
  /** Most handshakes at once of one network, /24 or /56. Default 32. */
  readonly maxPendingPerNetwork?: number;
  /** Most links. Default 4,096. */
  readonly maxLinks?: number;
  /** Most links of one network. Default 256. */
  readonly maxLinksPerNetwork?: number;
  /** What each link key may send. Default 20,000 frames a second, 40,000 at once. */
  readonly keyRate?: FrameRate;
  /** What each network may send. Default 50,000 frames a second, 100,000 at once. */
  readonly networkRate?: FrameRate;
}

/** Counts of {@link LinkListeners}. */
export interface LinkListenersStats {
  /** Handshakes under way. */
  readonly pending: number;
  /** Links that are open. */
  readonly links: number;
  /** Links made since the start. */
  readonly accepted: number;
  /** Links closed because the same key made a newer one. */
  readonly replaced: number;
  /** How often a link was not read because its key or network had sent too fast. */
  readonly slowed: number;
  /** Connections that became no link, by reason. */
  readonly refused: Readonly<Partial<Record<LinkRefusal, number>>>;
  /** Links that ended by a failure, by reason. */
  readonly failed: Readonly<Partial<Record<MixnetErrorCode, number>>>;
}

/**
 * Accepts links from any number of listeners, and gives those that are made; iterate it once.
 *
 * A key has one link: a newer one replaces the older, which may be dead. Beyond a limit the newest connection is closed. A peer that
 * sends faster than its budget is read more slowly, so that its own writes wait.
 */
export class LinkListeners implements AsyncIterable<MixLink>, AsyncDisposable {
  readonly #sources: readonly ConnectionSource[];
  readonly #options: LinkListenersOptions;
  readonly #queue = new BoundedQueue<MixLink>({ capacity: BACKLOG });
  readonly #stopping = new AbortController();
  readonly #keyBudgets: FrameBudgets;
  readonly #networkBudgets: FrameBudgets;
  /** Networks of the handshakes under way and of the links. */
  readonly #pending = new Tally();
  readonly #networks = new Tally();
  /** By link key. */
  readonly #links = new Map<string, MixLink>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #refused: Partial<Record<LinkRefusal, number>> = {};
  readonly #failed: Partial<Record<MixnetErrorCode, number>> = {};
  #accepted = 0;
  #replaced = 0;
  #slowed = 0;

  /** Takes over `listeners`, and accepts at once. */
  constructor(
    listeners: readonly (Listener | ConnectionSource)[],
    options: LinkListenersOptions,
  ) {
    const { maxLinks = LINKS, keyRate = KEY_RATE } = options;
    this.#sources = listeners;
    this.#options = options;
    this.#keyBudgets = new FrameBudgets(keyRate, 2 * maxLinks);
    this.#networkBudgets = new FrameBudgets(
      options.networkRate ?? NETWORK_RATE,
      2 * maxLinks,
    );
    for (const source of listeners) this.#track(this.#acceptAll(source));
  }

  /** Counts since the start. */
  get stats(): LinkListenersStats {
    return {
      pending: this.#pending.total,
      links: this.#networks.total,
      accepted: this.#accepted,
      replaced: this.#replaced,
      slowed: this.#slowed,
      refused: { ...this.#refused },
      failed: { ...this.#failed },
    };
  }

  /** Gives links until {@link stop}. */
  [Symbol.asyncIterator](): AsyncIterator<MixLink> {
    return this.#queue[Symbol.asyncIterator]();
  }

  /** Accepts no more; links that were taken live on. */
  stop(): void {
    for (const source of this.#sources) source.close();
    this.#stopping.abort(new MixnetError("closed", "The listeners stopped"));
    for (const link of this.#queue.drain()) link.close();
    this.#queue.close();
  }

  /** Stops, closes every link, and waits for all of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    for (const link of this.#links.values()) link.close();
    await Promise.all(this.#tasks);
  }

  async #acceptAll(source: ConnectionSource): Promise<void> {
    for await (const connection of source) {
      const network = networkPrefix(connection.remoteAddress);
      const refusal = this.#refusal(network);
      if (refusal) this.#refuse(connection, refusal);
      else this.#track(this.#accept(connection, network));
    }
  }

  #refusal(network: string): LinkRefusal | undefined {
    const {
      maxPending = PENDING,
      maxPendingPerNetwork = PENDING_OF_NETWORK,
      maxLinks = LINKS,
      maxLinksPerNetwork = LINKS_OF_NETWORK,
    } = this.#options;
    if (this.#stopping.signal.aborted) return "stopped";
    const [pending, links] = [this.#pending, this.#networks];
    if (pending.total >= maxPending) return "pending";
    if (pending.of(network) >= maxPendingPerNetwork) return "pending_network";
    if (pending.total + links.total >= maxLinks) return "links";
    if (pending.of(network) + links.of(network) >= maxLinksPerNetwork) {
      return "links_network";
    }
  }

  async #accept(connection: Connection, network: string): Promise<void> {
    let key = "";
    this.#pending.add(network);
    try {
      const link = await acceptLink(connection, {
        ...this.#options,
        signal: this.#stopping.signal,
        spend: (frames) => this.#spend(key, network, frames),
      });
      key = encodeHex(link.remoteStaticKey);
      this.#hold(key, network, link);
    } catch (error) {
      if (!(error instanceof MixnetError)) throw error;
      const isStopped = error === this.#stopping.signal.reason;
      this.#refuse(connection, isStopped ? "stopped" : error.code);
    } finally {
      this.#pending.remove(network);
    }
  }

  #hold(key: string, network: string, link: MixLink): void {
    const older = this.#links.get(key);
    if (older) {
      this.#replaced++;
      older.close();
    }
    this.#links.set(key, link);
    this.#networks.add(network);
    this.#track(link.closed.then((error) => {
      this.#networks.remove(network);
      if (this.#links.get(key) === link) this.#links.delete(key);
      if (error) count(this.#failed, error.code);
    }));
    if (this.#queue.offer(link)) this.#accepted++;
    else {
      link.close();
      count(this.#refused, "backlog");
    }
  }

  #spend(key: string, network: string, frames: number): number {
    const nowMs = (this.#options.clock ?? systemClock).now();
    const waitMs = Math.max(
      this.#keyBudgets.spend(key, frames, nowMs),
      this.#networkBudgets.spend(network, frames, nowMs),
    );
    if (waitMs > 0) this.#slowed++;
    return waitMs;
  }

  #refuse(connection: Connection, reason: LinkRefusal): void {
    connection.close();
    count(this.#refused, reason);
  }

  #track(task: Promise<void>): void {
    const tracked = task.finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
  }
}

/** How many of something each network has; one that has none takes no memory. */
class Tally {
  readonly #counts = new Map<string, number>();
  total = 0;

  of(network: string): number {
    return this.#counts.get(network) ?? 0;
  }

  add(network: string): void {
    this.#counts.set(network, this.of(network) + 1);
    this.total++;
  }

  remove(network: string): void {
    const left = this.of(network) - 1;
    if (left > 0) this.#counts.set(network, left);
    else this.#counts.delete(network);
    this.total--;
  }
}

function count<K extends string>(
  counts: Partial<Record<K, number>>,
  key: K,
): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
